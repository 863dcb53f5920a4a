"""What the detail pane shows: pure functions from loaded data to lines, made one by one as they are looked at."""
