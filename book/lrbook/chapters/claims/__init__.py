"""The survey's sentences, the rules that judge them, and the verdicts."""
