#!/usr/bin/env node
// Starts the command line. It is a file of its own, and not built, because npm links only commands
// that exist when it installs, which in a clone is before the build.
import "../dist/cli/main.js";
