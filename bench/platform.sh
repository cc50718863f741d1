# Not platform.py: Python would take it for its own module of that name in every comparison of this folder.
exec python3 bench/training_jobs.py "$@"
