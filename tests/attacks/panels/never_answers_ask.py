"""Never answers whether the patient may be changed."""

from bare import Panel


class Holder(Panel):
    def on_ask(self, id, params):
        pass


Holder().run()
