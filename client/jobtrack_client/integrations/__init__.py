"""Reports from tqdm, Celery and `logging` without changes to a program."""
