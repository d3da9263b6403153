"""Never introduces itself."""

import time

time.sleep(3600)
