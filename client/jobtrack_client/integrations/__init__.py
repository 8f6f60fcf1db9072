"""Reporting from what a program already uses: logging, print, tqdm and Celery."""
