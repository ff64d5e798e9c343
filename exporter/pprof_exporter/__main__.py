"""`python -m pprof_exporter` is the same as the `pprof-exporter` command."""

import sys

from pprof_exporter.cli import main

sys.exit(main())
