"""Jobs survive what Celery loses: say `enqueue(name, **ids)` inside the transaction that makes the work."""
