package smshttpsim

import (
	"encoding/json"
	"net/http"
)

// Control serves the record and the faults as JSON, for a server that runs as a
// process.
func (s *Server) Control() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /counts", func(w http.ResponseWriter, _ *http.Request) { writeJSON(w, http.StatusOK, s.Counts()) })
	mux.HandleFunc("GET /numbers", func(w http.ResponseWriter, _ *http.Request) { writeJSON(w, http.StatusOK, s.Numbers()) })
	mux.HandleFunc("GET /messages", s.serveMessages)
	mux.HandleFunc("GET /faults", func(w http.ResponseWriter, _ *http.Request) { writeJSON(w, http.StatusOK, s.CurrentFaults()) })
	mux.HandleFunc("PUT /faults", s.putFaults)
	mux.HandleFunc("PUT /webhook", s.putWebhook)
	mux.HandleFunc("POST /receive", s.serveReceive)
	mux.HandleFunc("POST /drop", does(s.DropAll))
	mux.HandleFunc("POST /reset", does(s.Reset))
	return mux
}

func (s *Server) serveMessages(w http.ResponseWriter, r *http.Request) {
	messages := s.Messages(r.URL.Query().Get("number"))
	if messages == nil {
		messages = []Message{}
	}
	writeJSON(w, http.StatusOK, messages)
}

// putFaults replaces all faults: what the body leaves out is switched off. It
// refuses names it does not know: a mistyped switch would be a test of nothing.
func (s *Server) putFaults(w http.ResponseWriter, r *http.Request) {
	var f Faults
	err := strict(w, r, &f)
	if err == nil {
		err = f.check()
	}
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	s.SetFaults(f)
	writeJSON(w, http.StatusOK, s.CurrentFaults())
}

func (s *Server) putWebhook(w http.ResponseWriter, r *http.Request) {
	var body struct {
		URL string `json:"url"`
	}
	if err := strict(w, r, &body); err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	s.SetWebhook(body.URL)
	w.WriteHeader(http.StatusNoContent)
}

// serveReceive has a handset send a message, and answers what the webhook did.
func (s *Server) serveReceive(w http.ResponseWriter, r *http.Request) {
	var body struct {
		API API    `json:"api"`
		URL string `json:"url"`
		Message
	}
	if err := strict(w, r, &body); err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	answer, err := s.Receive(body.API, body.URL, body.Message)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadGateway)
		return
	}
	writeJSON(w, http.StatusOK, map[string]string{"answer": answer})
}

func strict(w http.ResponseWriter, r *http.Request, into any) error {
	in := json.NewDecoder(http.MaxBytesReader(w, r.Body, bodyLimit))
	in.DisallowUnknownFields()
	return in.Decode(into)
}

func does(f func()) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		f()
		w.WriteHeader(http.StatusNoContent)
	}
}
