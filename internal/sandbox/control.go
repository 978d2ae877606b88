package sandbox

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
)

// serveControl serves the paths under /_sandbox/, which are no part of AWS.
func (s *Server) serveControl(w http.ResponseWriter, r *http.Request, name string) {
	h, ok := s.controls[name]
	if dir, _, found := strings.Cut(name, "/"); !ok && found {
		h, ok = s.controls[dir+"/"]
	}
	if !ok {
		answerJSON(w, http.StatusNotFound, map[string]string{"error": fmt.Sprintf("the sandbox has no path /_sandbox/%s", name)})
		return
	}
	h(w, r)
}

// serveIdentity lets a client tell a sandbox from AWS and from other emulators.
func (s *Server) serveIdentity(w http.ResponseWriter, r *http.Request) {
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		refuseMethod(w, "GET")
		return
	}
	answerJSON(w, http.StatusOK, map[string]any{"sandbox": "xshare", "formatVersion": 1, "partition": s.options.Partition, "services": sortedKeys(s.services)})
}

func refuseMethod(w http.ResponseWriter, allowed string) {
	w.Header().Set("Allow", allowed)
	answerJSON(w, http.StatusMethodNotAllowed, map[string]string{"error": "this path takes " + allowed})
}

func answerJSON(w http.ResponseWriter, status int, v any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(v) // the client may be gone
}
