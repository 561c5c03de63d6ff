"""Ads: an annex of billing with the same rooms. Who advertises, what competes for a place, what was seen and billed."""
