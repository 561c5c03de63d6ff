"""What each provider reports, fetched from it or in its own files: read line by line, so that memory stays flat."""
