"""Rules turn traces into feedback: evaluators over views, and the worker that runs them."""
