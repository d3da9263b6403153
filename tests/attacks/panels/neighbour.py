"""Another vendor's panel, well-behaved: a field in which somebody types while the others attack."""

from bare import Panel, node


class Good(Panel):
    def draw(self):
        self.render(node("column", "rot", node("text-field", "#notat", bind="notat", label="Notat")))

    def attack(self):
        return {}


Good().run()
