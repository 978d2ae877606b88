// Package campaign holds tests that are too long, or too wide, for any one
// package. They run xshare on the embedded AWS and hold it to what must never
// happen, whatever happens:
//
//   - Crash: the process is killed (SIGKILL) at every single call of an apply,
//     before the call is handled and after. The next apply converges.
//   - Faults: seeded runs with throttling, errors, latency, lost responses and
//     propagation. Each converges, or stops with a true report.
//   - Edits: random sequences of edits to a repository, with changes by hand in
//     between. After each apply the live access is what the specs say.
//   - Import: what random repositories have made is described by import, for the
//     same repository and for another. It is what is live, and applying it opens
//     and closes nothing.
//   - Truth: shares that work are broken, or mended, by random calls of whatever
//     decides about access. What verify and explain then say is what happens
//     when the calls are really made, and the mends that explain gives help.
//   - Parts: some accounts of a share are down, and the others do not care.
//
// In all but Truth, where others are the ones who change things, what is foreign
// stays as it is, to the byte; and in the first two no bucket policy is ever more open than before and after together, nor
// closed to whom both let in.
//
// A short form of each runs with all other tests. The full forms are
//
//	make crash    # every call of two applies, killed before it and after it
//	make faults   # 300 seeds
//	make edits    # 500 sequences
//	make imports  # 300 seeds, for two repositories each
//	make truth    # 3000 sequences
//
// which set XSHARE_CAMPAIGN=full. A failing seed of faults or imports is run alone by
// XSHARE_SEED=N, one of truth by the command that it prints, with as few of its
// mutations as still go wrong; a failing sequence of edits by the flag that
// rapid prints, and a kill point by its name, as with any subtest.
//
// What live access is, is read here by plain calls and decided by
// internal/iampolicy, and in Truth by the embedded AWS, which answers the calls;
// what it should be is decided from the specs, by rules written anew: neither
// goes through the code that is under test.
package campaign
