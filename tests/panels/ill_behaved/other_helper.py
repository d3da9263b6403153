"""A puppet whose manifest says that it handles an intent."""

from puppet import Puppet

Puppet().run()
