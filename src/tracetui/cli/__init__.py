"""One module per verb. stdout is data, stderr is words, exit codes are a contract (`ExitCode`)."""
