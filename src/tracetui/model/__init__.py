"""The vocabulary: runs, traces, threads, feedback. Pure; imports nothing of ours."""
