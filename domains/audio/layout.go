package audio

import (
	"path"
	"regexp"
	"strconv"
	"strings"

	"pfgmgen/internal/splits"
)

// takes is the form of the free spoken digits: class_speaker_take.wav. nohash is that of Speech Commands.
var (
	takes  = regexp.MustCompile(`(?i)^([^_]+)_([^_]+)_([0-9]{1,6})\.wav$`)
	nohash = regexp.MustCompile(`(?i)^(.+)_nohash_[0-9]+\.wav$`)
)

// Takes of the free spoken digits: the test part is the official one.
const (
	testTakes = 5 // 0 to 4
	heldTakes = 7 // 5 and 6 are held out
)

// named is a record of which nothing but its path is known. Speakers are kept together by a split by hash.
func named(id string) record {
	r := record{id: id}
	if m := nohash.FindStringSubmatch(path.Base(id)); m != nil {
		r.speaker, r.group = m[1], m[1]
	} else if _, speaker, _, ok := take(id); ok {
		r.speaker = speaker
	}
	return r
}

// take reads a name of the form class_speaker_take.wav.
func take(id string) (class, speaker string, number int, ok bool) {
	m := takes.FindStringSubmatch(path.Base(id))
	if m == nil || nohash.MatchString(path.Base(id)) {
		return "", "", 0, false
	}
	number, err := strconv.Atoi(m[3])
	return m[1], m[2], number, err == nil
}

// layOut says what the paths of one folder mean. Folders called train, valid and test at the top are the split; two or
// more folders, at the top or below those, are classes. Without such folders, when every name has the form
// class_speaker_take, it gives the class and, where takes go beyond the held-out ones, the split.
func layOut(names []string) []record {
	records := make([]record, len(names))
	parts, folders := 0, make(map[string]bool)
	split := func(id string) (part, rest string) {
		first, rest, _ := strings.Cut(id, "/")
		if part, err := splits.Part(first); err == nil && rest != "" {
			return part, rest
		}
		return "", id
	}
	for i, id := range names {
		records[i] = named(id)
		if part, _ := split(id); part != "" {
			parts++
		}
	}
	divided := parts == len(names)
	rests := make([]string, len(names))
	inFolders, byTake, last := true, true, 0
	for i, id := range names {
		rests[i] = id
		if divided {
			records[i].split, rests[i] = split(id)
		}
		folder, _, nested := strings.Cut(rests[i], "/")
		inFolders = inFolders && nested
		folders[folder] = true
		_, _, number, ok := take(id)
		byTake = byTake && ok
		last = max(last, number)
	}
	for i := range records {
		r := &records[i]
		switch {
		case inFolders && len(folders) > 1:
			r.class, _, _ = strings.Cut(rests[i], "/")
		case byTake:
			class, _, number, _ := take(r.id)
			r.class = class
			if !divided && last >= heldTakes {
				r.split = splits.Train
				if number < testTakes {
					r.split = splits.Test
				} else if number < heldTakes {
					r.split = splits.Valid
				}
			}
		}
	}
	return records
}
