"""A child process that serves the tests' pixels, as ``python -m skred.hub`` serves a world's."""

from hub_client import Checker

from skred.hub.child import serve_until_stdin_closes

if __name__ == "__main__":
    serve_until_stdin_closes(Checker())
