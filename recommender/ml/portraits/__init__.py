"""Who the viewers are, in numbers: interests, segments, rules, what comes next, and who is likely to leave or buy."""
