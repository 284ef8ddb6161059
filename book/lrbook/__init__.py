"""The book's own code: what its chapters print, its exercises, the class study, and what Colab needs."""
