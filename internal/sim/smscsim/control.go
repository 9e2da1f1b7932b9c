package smscsim

import (
	"encoding/json"
	"net/http"
)

// Control serves the record and the faults as JSON, for a server that runs as a process.
func (s *Server) Control() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /counts", func(w http.ResponseWriter, _ *http.Request) { writeJSON(w, s.Counts()) })
	mux.HandleFunc("GET /numbers", func(w http.ResponseWriter, _ *http.Request) { writeJSON(w, s.Numbers()) })
	mux.HandleFunc("GET /texts", s.serveTexts)
	mux.HandleFunc("GET /faults", func(w http.ResponseWriter, _ *http.Request) { writeJSON(w, s.Faults()) })
	mux.HandleFunc("PUT /faults", s.putFaults)
	mux.HandleFunc("POST /say", s.serveSay)
	mux.HandleFunc("POST /drop", does(s.DropAll))
	mux.HandleFunc("POST /reset", does(s.Reset))
	return mux
}

func (s *Server) serveTexts(w http.ResponseWriter, r *http.Request) {
	texts := s.Texts(r.URL.Query().Get("number"))
	if texts == nil {
		texts = []string{}
	}
	writeJSON(w, texts)
}

// putFaults replaces all faults: what the body leaves out is switched off.
func (s *Server) putFaults(w http.ResponseWriter, r *http.Request) {
	var f Faults
	err := json.NewDecoder(http.MaxBytesReader(w, r.Body, 16<<20)).Decode(&f)
	if err == nil {
		err = f.check()
	}
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	s.SetFaults(f)
	writeJSON(w, s.Faults())
}

// serveSay has a handset say something: {"from": "4791234567", "to": "26112", "text": "STOP"}.
func (s *Server) serveSay(w http.ResponseWriter, r *http.Request) {
	var m struct{ From, To, Text string }
	if err := json.NewDecoder(http.MaxBytesReader(w, r.Body, 1<<20)).Decode(&m); err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	if err := s.Say(m.From, m.To, m.Text); err != nil {
		http.Error(w, err.Error(), http.StatusConflict)
		return
	}
	w.WriteHeader(http.StatusNoContent)
}

func does(f func()) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		f()
		w.WriteHeader(http.StatusNoContent)
	}
}

func writeJSON(w http.ResponseWriter, v any) {
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(v) // the client left: nobody to tell
}
