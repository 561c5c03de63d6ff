"""The one posting path, in one round trip: billing.ledger.post calls it, with the rights of its caller."""

from django.db import migrations

MAKE = r"""
CREATE FUNCTION billing_post(
    -- the journal
    p_kind text, p_key text, p_at timestamptz,
    -- its accounts, each once: made when they are first posted to
    p_names text[], p_kinds text[], p_currencies text[], p_creators bigint[], p_members bigint[], p_floors bigint[],
    -- its transfers: from and to are places in the list of accounts, counted from 1
    p_debits int[], p_credits int[], p_amounts bigint[],
    OUT id bigint, OUT seq bigint, OUT at timestamptz, OUT digest bytea, OUT link bytea,
    OUT is_same boolean  -- whether it has the content that was asked for
) LANGUAGE plpgsql SECURITY INVOKER AS $$
#variable_conflict use_column
DECLARE
    tenant CONSTANT bigint := nullif(current_setting('kp.tenant', true), '')::bigint;
    head billing_chainhead%ROWTYPE;
    accounts bigint[];
    digests bytea[];
    content bytea;
BEGIN
    -- Whoever posts for a tenant holds its head first: one order of locks, and a chain without forks.
    SELECT * INTO head FROM billing_chainhead h WHERE h.tenant_id = tenant FOR NO KEY UPDATE;
    IF NOT FOUND THEN
        INSERT INTO billing_chainhead (tenant_id, seq, link) VALUES (tenant, 0, '') ON CONFLICT (tenant_id) DO NOTHING;
        SELECT * INTO STRICT head FROM billing_chainhead h WHERE h.tenant_id = tenant FOR NO KEY UPDATE;
    END IF;

    FOR attempt IN 1..2 LOOP
        SELECT array_agg(held.id ORDER BY held.place) INTO accounts
        FROM (
            SELECT a.id, asked.place
            FROM unnest(p_names) WITH ORDINALITY AS asked (name, place)
            JOIN billing_account a ON a.tenant_id = tenant AND a.name = asked.name
            ORDER BY a.id
            FOR NO KEY UPDATE OF a
        ) held;
        EXIT WHEN coalesce(cardinality(accounts), 0) = cardinality(p_names);
        INSERT INTO billing_account
            (tenant_id, name, kind, currency, creator_id, member_id, floor, debits, credits)
        SELECT tenant, n.name, n.kind, n.currency, n.creator, n.member, n.floor, 0, 0
        FROM unnest(p_names, p_kinds, p_currencies, p_creators, p_members, p_floors)
             AS n (name, kind, currency, creator, member, floor)
        ON CONFLICT (tenant_id, name) DO NOTHING;
    END LOOP;

    SELECT array_agg(canonical.digest ORDER BY canonical.place) INTO digests
    FROM (
        SELECT sha256(convert_to(
                   concat_ws(' ', p_names[t.debit], p_names[t.credit], p_currencies[t.debit], t.amount), 'UTF8')),
               t.place
        FROM unnest(p_debits, p_credits, p_amounts) WITH ORDINALITY AS t (debit, credit, amount, place)
    ) canonical (digest, place);
    content := sha256(convert_to(p_kind, 'UTF8') || (
        SELECT string_agg(d.digest, ''::bytea ORDER BY d.place) FROM unnest(digests) WITH ORDINALITY d (digest, place)));

    SELECT j.id, j.seq, j.at, j.digest, j.link, j.digest = content INTO id, seq, at, digest, link, is_same
    FROM billing_journal j WHERE j.tenant_id = tenant AND j.key = p_key;
    IF FOUND THEN
        RETURN;
    END IF;

    UPDATE billing_account a
    SET debits = a.debits + moved.debits, credits = a.credits + moved.credits
    FROM (
        SELECT accounts[m.place] AS id, sum(m.debit)::bigint AS debits, sum(m.credit)::bigint AS credits
        FROM (
            SELECT t.debit, t.amount, 0 FROM unnest(p_debits, p_amounts) t (debit, amount)
            UNION ALL
            SELECT t.credit, 0, t.amount FROM unnest(p_credits, p_amounts) t (credit, amount)
        ) m (place, debit, credit)
        GROUP BY m.place
    ) moved
    WHERE a.tenant_id = tenant AND a.id = moved.id;

    seq := head.seq + 1;
    at := p_at;
    digest := content;
    is_same := true;
    link := sha256(head.link || content || convert_to(
        concat_ws(' ', tenant, seq, (extract(epoch FROM p_at) * 1000000)::bigint, p_key), 'UTF8'));
    INSERT INTO billing_journal (tenant_id, kind, key, seq, at, digest, link)
    VALUES (tenant, p_kind, p_key, seq, p_at, content, link)
    RETURNING billing_journal.id INTO id;

    INSERT INTO billing_transfer (tenant_id, journal_id, debit_id, credit_id, currency, amount, digest)
    SELECT tenant, id, accounts[t.debit], accounts[t.credit], p_currencies[t.debit], t.amount, t.digest
    FROM unnest(p_debits, p_credits, p_amounts, digests)
         WITH ORDINALITY AS t (debit, credit, amount, digest, place)
    ORDER BY t.place;

    UPDATE billing_chainhead h SET seq = head.seq + 1, link = billing_post.link WHERE h.id = head.id;
END
$$;
"""
UNMAKE = "DROP FUNCTION billing_post"


class Migration(migrations.Migration):
    dependencies = [("billing", "0001_initial")]
    operations = [migrations.RunSQL(MAKE, UNMAKE)]
