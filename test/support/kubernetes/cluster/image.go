package main

import (
	"regexp"
	"strconv"
	"strings"
	"time"
)

// image is what a container does, as the words of its image's tag say. After a version they are joined by `-` and may be
// combined, as in `shop:1.2.0-slow20s-errors10`. Other words mean nothing. Without a tag the words of the last part of the
// name count, as in `shop-crash@sha256:…`; a digest means nothing.
//
//	slow20s      is ready after 20 s (also ms, m, h); a job's container takes as long
//	never        runs, and is never ready; a job's container never ends
//	crash        exits with 1 soon after each start: CrashLoopBackOff, and restarts that are counted
//	restarts5s   is ready, and is killed for its memory each 5 s
//	noimage      cannot be pulled: ErrImagePull, then ImagePullBackOff
//	fails240s    is ready, and 240 s later is not ready any more
//	fail         a job's container exits with 1
//	errors10     of each 100 requests to a pod 10 are answered with 500 (also 4.9)
//	latency500   each request takes 500 ms
//	cpu150       uses 150 percent of the processors and memory that it requests (without it: 50)
type image struct {
	slow     time.Duration
	never    bool
	crash    bool
	restarts time.Duration
	noImage  bool
	fails    time.Duration
	fail     bool
	errors   float64
	latency  time.Duration
	load     float64
}

var number = regexp.MustCompile(`^([a-z]+)([0-9].*)$`)

func parseImage(reference string) image {
	parsed := image{load: 50}
	for _, word := range strings.Split(wordsOf(reference), "-") {
		switch word {
		case "never":
			parsed.never = true
		case "crash":
			parsed.crash = true
		case "noimage":
			parsed.noImage = true
		case "fail":
			parsed.fail = true
		}
		match := number.FindStringSubmatch(word)
		if match == nil {
			continue
		}
		span, noSpan := time.ParseDuration(match[2])
		value, noValue := strconv.ParseFloat(match[2], 64)
		switch {
		case match[1] == "slow" && noSpan == nil:
			parsed.slow = span
		case match[1] == "restarts" && noSpan == nil && span > 0:
			parsed.restarts = span
		case match[1] == "fails" && noSpan == nil:
			parsed.fails = span
		case match[1] == "errors" && noValue == nil:
			parsed.errors = value
		case match[1] == "latency" && noValue == nil:
			parsed.latency = time.Duration(value * float64(time.Millisecond))
		case match[1] == "cpu" && noValue == nil:
			parsed.load = value
		}
	}
	return parsed
}

// wordsOf is the tag of an image, or else the last part of its name.
func wordsOf(reference string) string {
	name, _, _ := strings.Cut(reference, "@")
	last := name[strings.LastIndex(name, "/")+1:]
	if _, tag, tagged := strings.Cut(last, ":"); tagged {
		return tag
	}
	return last
}
