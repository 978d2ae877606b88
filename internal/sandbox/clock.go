package sandbox

import (
	"encoding/json"
	"net/http"
	"time"
)

// now is the sandbox's time: the clock's plus what it was moved by. The lock
// must be held.
func (s *Server) now() time.Time {
	return s.options.Clock().UTC().Add(s.world.ClockOffset)
}

// serveClock answers GET with the sandbox's time, and moves it by POST of
// {"advance": "15m"}, always forward: nothing in AWS gets younger.
func (s *Server) serveClock(w http.ResponseWriter, r *http.Request) {
	var by time.Duration
	switch r.Method {
	case http.MethodGet:
	case http.MethodPost:
		var in struct{ Advance string }
		d := json.NewDecoder(r.Body)
		d.DisallowUnknownFields()
		err := d.Decode(&in)
		if err == nil {
			by, err = time.ParseDuration(in.Advance)
		}
		if err != nil || by < 0 {
			answerJSON(w, http.StatusBadRequest, map[string]string{"error": `the body must be like {"advance": "15m"}, a duration that is not negative`})
			return
		}
	default:
		refuseMethod(w, "GET, POST")
		return
	}
	s.mu.Lock()
	if by > 0 {
		s.world.ClockOffset += by
		s.store.touch()
	}
	now := s.now()
	s.mu.Unlock()
	answerJSON(w, http.StatusOK, map[string]string{"now": now.Format(time.RFC3339Nano)})
}

// Propagation is for how long what is new stays unseen where AWS is eventually
// consistent. The zero value: everything is seen at once.
type Propagation struct {
	Role    Window // naming a new role or user in a bucket or trust policy: "Invalid principal in policy"
	Profile Window // naming a new instance profile in RunInstances
}

// Window ends when a time has passed and a number of attempts have failed.
type Window struct {
	For      time.Duration // on the sandbox's clock, from the creation
	Attempts int           // so many first attempts fail, whatever the clock says
}

// servePropagation shows the windows by GET and sets them by PUT of, for
// instance, {"role": {"for": "8s", "attempts": 2}, "profile": {"for": "8s"}}.
func (s *Server) servePropagation(w http.ResponseWriter, r *http.Request) {
	type window struct {
		For      string `json:"for"`
		Attempts int    `json:"attempts"`
	}
	type windows struct {
		Role    window `json:"role"`
		Profile window `json:"profile"`
	}
	switch r.Method {
	case http.MethodGet:
	case http.MethodPut:
		var in windows
		var p Propagation
		d := json.NewDecoder(r.Body)
		d.DisallowUnknownFields()
		err := d.Decode(&in)
		for _, v := range []struct {
			from window
			to   *Window
		}{{in.Role, &p.Role}, {in.Profile, &p.Profile}} {
			v.to.Attempts = v.from.Attempts
			if err == nil && v.from.For != "" {
				v.to.For, err = time.ParseDuration(v.from.For)
			}
		}
		if err != nil {
			answerJSON(w, http.StatusBadRequest, map[string]string{"error": err.Error() + `: the body must be like {"role": {"for": "8s", "attempts": 2}, "profile": {"for": "8s"}}`})
			return
		}
		s.mu.Lock()
		s.options.Propagation = p
		s.mu.Unlock()
	default:
		refuseMethod(w, "GET, PUT")
		return
	}
	s.mu.Lock()
	p := s.options.Propagation
	s.mu.Unlock()
	answerJSON(w, http.StatusOK, windows{window{p.Role.For.String(), p.Role.Attempts}, window{p.Profile.For.String(), p.Profile.Attempts}})
}

// newness is what an entity remembers for its window.
type newness struct {
	Created  time.Time
	Attempts int `json:",omitempty"` // that failed already
}

// seen tells whether an attempt made now sees the entity, and counts it if not.
func (n *newness) seen(w Window, now time.Time) bool {
	early := now.Before(n.Created.Add(w.For))
	if early || n.Attempts < w.Attempts {
		n.Attempts++
		return false
	}
	return true
}
