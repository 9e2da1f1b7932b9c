package smsqueue_test

import (
	"bufio"
	"bytes"
	"context"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/hibiken/asynq"

	"github.com/varsel/varsel/internal/db"
	"github.com/varsel/varsel/internal/sim/smscsim"
	"github.com/varsel/varsel/smsqueue"
)

// bare is the same work with nothing around it: the same rows, ranges, parts,
// answers and receipts, without prices, gates, events, fairness, or anybody who
// could crash. What the product takes longer is what its rules cost.
type bare struct {
	t    testing.TB
	db   *db.DB
	conn net.Conn
	n    int

	mu       sync.Mutex
	out      []byte // not yet written
	wake     chan struct{}
	places   chan struct{} // of the window
	ids      map[string]int64
	answers  chan [2]string // row, carrier's id
	receipts chan [2]string // carrier's id, sequence of the deliver_sm
}

const (
	bareRange  = 500
	bareBatch  = 2000
	bareWindow = 2000
)

// times of one pass over n messages.
type times struct{ accepted, submitted, receipted time.Duration }

// runBare answers how long it took to store n messages, to have all of them
// accepted by the carrier, and to have all receipts stored.
func runBare(t testing.TB, d *db.DB, redis *smsqueue.Redis, n int) (took times) {
	t.Helper()
	smsc, err := smscsim.Start(smscsim.Options{Unacknowledged: benchUnacknowledged, Faults: benchFaults})
	must(t, err)
	defer smsc.Close()
	b := &bare{t: t, db: d, n: n, wake: make(chan struct{}, 1), places: make(chan struct{}, bareWindow), ids: map[string]int64{},
		answers: make(chan [2]string, bareWindow), receipts: make(chan [2]string, 4*bareBatch)}
	b.bind(smsc.Addr())
	defer b.conn.Close()
	server := b.serve(redis)
	defer server.Shutdown()
	go b.write()
	go b.read()

	began := time.Now()
	b.insert()
	took.accepted = time.Since(began)
	b.enqueue(redis)
	var done sync.WaitGroup
	done.Go(func() { b.store(b.answers, b.answered); took.submitted = time.Since(began) })
	done.Go(func() { b.store(b.receipts, b.receipted); took.receipted = time.Since(began) })
	done.Wait()
	return took
}

func (b *bare) insert() {
	rows := make([][]any, b.n)
	for i := range rows {
		rows[i] = []any{int64(i), int64(1), int64(1), int64(i / bareRange), int64(i), number(i), "gsm7", int64(1), int64(45_000), "queued", int64(1)}
	}
	must(b.t, b.db.InTx(b.t.Context(), func(tx *db.Tx) error {
		return tx.Bulk(b.t.Context(), "messages", []string{"id", "account_id", "campaign_id", "range_id", "contact_id", "phone", "encoding",
			"parts", "price_micro", "status", "queued_at"}, rows)
	}))
}

func (b *bare) enqueue(redis *smsqueue.Redis) {
	client := asynq.NewClientFromRedisClient(redis.Client)
	for first := 0; first < b.n; first += bareRange {
		_, err := client.EnqueueContext(b.t.Context(), asynq.NewTask("bare", []byte(strconv.Itoa(first))), asynq.MaxRetry(0))
		must(b.t, err)
	}
}

func (b *bare) serve(redis *smsqueue.Redis) *asynq.Server {
	server := asynq.NewServerFromRedisClient(redis.Client, asynq.Config{Concurrency: 8, TaskCheckInterval: 5 * time.Millisecond, LogLevel: asynq.ErrorLevel})
	mux := asynq.NewServeMux()
	mux.HandleFunc("bare", func(ctx context.Context, task *asynq.Task) error {
		first, err := strconv.ParseInt(string(task.Payload()), 10, 64)
		if err == nil {
			err = b.submit(ctx, first)
		}
		return err
	})
	must(b.t, server.Start(mux))
	return server
}

func (b *bare) submit(ctx context.Context, first int64) error {
	rows, err := b.db.QueryContext(ctx, `SELECT id, phone FROM messages WHERE id >= $1 AND id < $2`, first, first+bareRange)
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		var id int64
		var phone string
		if err := rows.Scan(&id, &phone); err != nil {
			return err
		}
		b.places <- struct{}{}
		b.put(submitPDU(uint32(id)+1, phone[1:], "Hello"))
	}
	return rows.Err()
}

func (b *bare) put(pdu []byte) {
	b.mu.Lock()
	b.out = append(b.out, pdu...)
	b.mu.Unlock()
	select {
	case b.wake <- struct{}{}:
	default:
	}
}

func (b *bare) write() {
	for range b.wake {
		b.mu.Lock()
		out := b.out
		b.out = nil
		b.mu.Unlock()
		if _, err := b.conn.Write(out); err != nil {
			return
		}
	}
}

// read is the other half of the client.
func (b *bare) read() {
	in := bufio.NewReaderSize(b.conn, 64<<10)
	var answers, receipts int
	for receipts < b.n || answers < b.n {
		command, sequence, body, err := readPDU(in)
		if err != nil {
			return
		}
		switch command {
		case 0x80000004: // submit_sm_resp
			<-b.places
			answers++
			id, _, _ := bytes.Cut(body, []byte{0})
			b.mu.Lock()
			b.ids[string(id)] = int64(sequence) - 1
			b.mu.Unlock()
			b.answers <- [2]string{strconv.Itoa(int(sequence) - 1), string(id)}
		case 0x00000005: // deliver_sm
			receipts++
			at := bytes.Index(body, []byte("id:")) + 3
			id, _, _ := bytes.Cut(body[at:], []byte{' '})
			b.receipts <- [2]string{string(id), strconv.Itoa(int(sequence))}
		}
	}
	close(b.answers)
	close(b.receipts)
}

// store takes what has come, up to a batch, until all has.
func (b *bare) store(from chan [2]string, commit func([][2]string)) {
	for one := range from {
		batch := [][2]string{one}
		for more := true; more && len(batch) < bareBatch; {
			select {
			case next, open := <-from:
				if more = open; open {
					batch = append(batch, next)
				}
			case <-time.After(20 * time.Millisecond):
				more = false
			}
		}
		commit(batch)
	}
}

func (b *bare) answered(batch [][2]string) {
	set := make(map[string]string, len(batch))
	for _, a := range batch {
		set[a[0]] = a[1]
	}
	b.update(`UPDATE messages SET status = 'sent', code = r.value FROM json_each_text($1) AS r WHERE messages.id = CAST(r.key AS BIGINT) AND status = 'queued'`, set)
}

func (b *bare) receipted(batch [][2]string) {
	set := make(map[string]string, len(batch))
	b.mu.Lock()
	for _, r := range batch {
		set[strconv.FormatInt(b.ids[r[0]], 10)] = ""
		delete(b.ids, r[0])
	}
	b.mu.Unlock()
	b.update(`UPDATE messages SET status = 'delivered', done_at = 1 WHERE id IN (SELECT CAST(key AS BIGINT) FROM json_each($1))`, set)
	for _, r := range batch {
		sequence, _ := strconv.ParseUint(r[1], 10, 32)
		b.put(pdu(0x80000005, uint32(sequence), []byte{0}))
	}
}

func (b *bare) update(text string, set map[string]string) {
	list, err := json.Marshal(set)
	must(b.t, err)
	must(b.t, b.db.InTx(b.t.Context(), func(tx *db.Tx) error {
		if err := tx.PreferIndexes(b.t.Context()); err != nil {
			return err
		}
		_, err := tx.ExecContext(b.t.Context(), text, string(list))
		return err
	}))
}

func (b *bare) bind(addr string) {
	conn, err := net.Dial("tcp", addr)
	must(b.t, err)
	b.conn = conn
	body := append([]byte("varsel\x00secret\x00\x00"), 0x34, 0, 0, 0)
	_, err = conn.Write(pdu(0x00000009, 1, body)) // bind_transceiver
	must(b.t, err)
	in := bufio.NewReaderSize(conn, 16)
	command, _, _, err := readPDU(in)
	must(b.t, err)
	if command != 0x80000009 || in.Buffered() > 0 {
		b.t.Fatalf("the SMSC answers the bind with %#x", command)
	}
}

// submitPDU is a submit_sm of a short text from ACME that asks for a receipt.
func submitPDU(sequence uint32, to, text string) []byte {
	body := make([]byte, 0, 64)
	body = append(body, 0, 5, 0)
	body = append(body, "ACME\x00"...)
	body = append(body, 1, 1)
	body = append(append(body, to...), 0)
	body = append(body, 0, 0, 0, 0, 0, 1, 0, 0, 0, byte(len(text)))
	return pdu(0x00000004, sequence, append(body, text...))
}

func pdu(command, sequence uint32, body []byte) []byte {
	out := binary.BigEndian.AppendUint32(make([]byte, 0, 16+len(body)), uint32(16+len(body)))
	out = binary.BigEndian.AppendUint32(out, command)
	out = binary.BigEndian.AppendUint32(out, 0)
	out = binary.BigEndian.AppendUint32(out, sequence)
	return append(out, body...)
}

func readPDU(in *bufio.Reader) (command, sequence uint32, body []byte, err error) {
	var header [16]byte
	if _, err = io.ReadFull(in, header[:]); err != nil {
		return 0, 0, nil, err
	}
	if status := binary.BigEndian.Uint32(header[8:]); status != 0 {
		return 0, 0, nil, fmt.Errorf("the SMSC answers with status %#x", status)
	}
	body = make([]byte, binary.BigEndian.Uint32(header[:])-16)
	_, err = io.ReadFull(in, body)
	return binary.BigEndian.Uint32(header[4:]), binary.BigEndian.Uint32(header[12:]), body, err
}
