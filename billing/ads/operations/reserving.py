"""The statement that makes an offer."""

# The money is reserved and the offer written in one statement, or neither is: what somebody else has just reserved, a
# campaign that has ended and a creative that was rejected a moment ago are seen here.
RESERVE = """
WITH reserved AS (
    UPDATE ads_flight f SET reserved = f.reserved + %(price)s, expected = f.expected + %(expected)s
    FROM ads_campaign c, ads_creative k, ads_advertiser a
    WHERE f.tenant_id = %(tenant)s AND f.id = {flight}
      AND c.tenant_id = %(tenant)s AND c.id = f.campaign_id AND c.state = 'live'
      AND k.tenant_id = %(tenant)s AND k.id = %(creative)s AND k.state = 'approved'
      AND a.tenant_id = %(tenant)s AND a.id = c.advertiser_id AND a.blocked_at IS NULL
      AND f.reserved + f.spent + %(price)s <= f.budget * 1000000
      AND (f.ceiling IS NULL OR f.expected + f.spent < f.ceiling)
      AND (f.tonight IS NULL OR f.reserved + f.spent + %(price)s <= f.tonight)
    RETURNING f.id
)
INSERT INTO ads_offer (tenant_id, public_id, campaign_id, flight_id, creative_id, viewer_id, item_id, placement,
                       session, position, price, expected, chance, rate, affinity, propensity, offered_at,
                       expires_at, odd)
SELECT %(tenant)s, %(public)s, %(campaign)s, id, %(creative)s, %(viewer)s, %(item)s, %(placement)s, %(session)s,
       %(position)s, %(price)s, %(expected)s, %(chance)s, %(rate)s, %(affinity)s, %(propensity)s, %(at)s, %(until)s, ''
FROM reserved
"""
WAITING = RESERVE.format(flight="%(flight)s")
PASSING = RESERVE.format(
    flight="(SELECT id FROM ads_flight WHERE tenant_id = %(tenant)s AND id = %(flight)s FOR NO KEY UPDATE SKIP LOCKED)"
)
