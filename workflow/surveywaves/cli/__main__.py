"""`python -m surveywaves.cli`, where the command is not installed."""

import sys

from surveywaves.cli import main

sys.exit(main())
