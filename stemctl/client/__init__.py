"""The API over HTTP: requests, answers, and what an answer proves."""
