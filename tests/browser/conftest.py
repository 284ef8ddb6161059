"""`make test-browser` starts these; Playwright is not in the environment of the other tests."""

collect_ignore_glob = ["*.py"]
