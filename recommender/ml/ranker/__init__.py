"""The ranker: of a few hundred candidates, how long and how gladly this viewer would watch each, here and now."""
