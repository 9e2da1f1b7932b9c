-- +goose Up

-- What batches have moved of a campaign's messages and is not yet in its counters:
-- many batches at once would wait for its one row. The sums of both are the truth.
CREATE TABLE campaign_deltas (
    campaign_id BIGINT NOT NULL,
    queued      BIGINT NOT NULL,
    sending     BIGINT NOT NULL,
    sent        BIGINT NOT NULL,
    unconfirmed BIGINT NOT NULL,
    delivered   BIGINT NOT NULL,
    undelivered BIGINT NOT NULL,
    expired     BIGINT NOT NULL,
    rejected    BIGINT NOT NULL,
    failed      BIGINT NOT NULL,
    cancelled   BIGINT NOT NULL,
    skipped     BIGINT NOT NULL
);
CREATE INDEX campaign_deltas_by_campaign ON campaign_deltas (campaign_id);

-- +goose Down
UPDATE campaigns SET queued = campaigns.queued + d.queued, sending = campaigns.sending + d.sending, sent = campaigns.sent + d.sent,
    unconfirmed = campaigns.unconfirmed + d.unconfirmed, delivered = campaigns.delivered + d.delivered,
    undelivered = campaigns.undelivered + d.undelivered, expired = campaigns.expired + d.expired,
    rejected = campaigns.rejected + d.rejected, failed = campaigns.failed + d.failed,
    cancelled = campaigns.cancelled + d.cancelled, skipped = campaigns.skipped + d.skipped
FROM (
    SELECT campaign_id, SUM(queued) AS queued, SUM(sending) AS sending, SUM(sent) AS sent, SUM(unconfirmed) AS unconfirmed,
        SUM(delivered) AS delivered, SUM(undelivered) AS undelivered, SUM(expired) AS expired, SUM(rejected) AS rejected,
        SUM(failed) AS failed, SUM(cancelled) AS cancelled, SUM(skipped) AS skipped
    FROM campaign_deltas GROUP BY campaign_id
) AS d WHERE d.campaign_id = campaigns.id;
DROP TABLE campaign_deltas;
