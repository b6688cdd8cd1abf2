package main

import (
	"crypto/sha256"
	"fmt"
	"math"
	"strings"
	"time"

	v1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

const (
	// startTime passes until a container runs, and until it is ready.
	startTime = 300 * time.Millisecond
	// pullTime passes between the first failure to pull an image and the first wait.
	pullTime = time.Second
	// crashTime is how long a container runs that crashes.
	crashTime = 500 * time.Millisecond
	// never is the time until the next change of what does not change any more.
	never = time.Duration(math.MaxInt64)
)

// statusOf is what a kubelet reports about a pod that has been on its node for some time, and the time until that changes.
// It depends on nothing else: after a restart it goes on where it was.
func statusOf(pod *v1.Pod, elapsed time.Duration, now time.Time) (v1.PodStatus, time.Duration) {
	status := v1.PodStatus{Phase: v1.PodPending, HostIP: nodeIP, PodIP: ipOf(pod.UID), StartTime: &metav1.Time{Time: now.Add(-elapsed)}}
	status.HostIPs, status.PodIPs = []v1.HostIP{{IP: status.HostIP}}, []v1.PodIP{{IP: status.PodIP}}
	if pod.Status.StartTime != nil {
		status.StartTime = pod.Status.StartTime
	}
	runs := containerTime{start: status.StartTime.Time, elapsed: elapsed, now: now, uid: string(pod.UID), next: never}

	initialized := true
	for _, container := range pod.Spec.InitContainers {
		sidecar := container.RestartPolicy != nil && *container.RestartPolicy == v1.ContainerRestartPolicyAlways
		report := runs.waiting(container, "PodInitializing")
		if initialized {
			policy := pod.Spec.RestartPolicy
			if sidecar {
				policy = v1.RestartPolicyAlways
			} else if policy == v1.RestartPolicyAlways {
				// an init container ends; what fails is tried again
				policy = v1.RestartPolicyOnFailure
			}
			report = runs.report(container, policy)
			if !sidecar {
				ended := report.State.Terminated
				initialized = ended != nil && ended.ExitCode == 0
				report.Ready = initialized
				runs.elapsed = max(0, runs.elapsed-endOf(parseImage(container.Image)))
			}
		}
		status.InitContainerStatuses = append(status.InitContainerStatuses, report)
	}
	for _, container := range pod.Spec.Containers {
		report := runs.waiting(container, "PodInitializing")
		if initialized {
			report = runs.report(container, pod.Spec.RestartPolicy)
		}
		status.ContainerStatuses = append(status.ContainerStatuses, report)
	}

	status.Phase = phaseOf(status, initialized)
	finished := status.Phase == v1.PodSucceeded || status.Phase == v1.PodFailed
	ready := initialized && !finished
	for _, each := range append(status.InitContainerStatuses, status.ContainerStatuses...) {
		ready = ready && each.Ready
	}
	reason := "ContainersNotReady"
	if finished {
		reason = "PodCompleted"
	}
	for _, each := range []struct {
		kind   v1.PodConditionType
		holds  bool
		reason string
	}{
		{v1.PodReadyToStartContainers, !finished, ""},
		{v1.PodInitialized, initialized, "ContainersNotInitialized"},
		{v1.ContainersReady, ready, reason},
		{v1.PodReady, ready, reason},
		{v1.PodScheduled, true, ""},
	} {
		status.Conditions = append(status.Conditions, conditionOf(pod, each.kind, each.holds, each.reason, now))
	}
	if finished {
		runs.next = never
	}
	return status, runs.next
}

func phaseOf(status v1.PodStatus, initialized bool) v1.PodPhase {
	ended, failed, running := 0, false, false
	for _, each := range status.InitContainerStatuses {
		failed = failed || each.State.Terminated != nil && each.State.Terminated.ExitCode != 0
	}
	for _, each := range status.ContainerStatuses {
		if each.State.Terminated != nil {
			ended++
			failed = failed || each.State.Terminated.ExitCode != 0
		}
		running = running || each.State.Running != nil || each.RestartCount > 0
	}
	switch {
	case failed && (!initialized || ended == len(status.ContainerStatuses)):
		return v1.PodFailed
	case ended == len(status.ContainerStatuses):
		return v1.PodSucceeded
	case running || ended > 0:
		return v1.PodRunning
	default:
		return v1.PodPending
	}
}

func conditionOf(pod *v1.Pod, kind v1.PodConditionType, holds bool, reason string, now time.Time) v1.PodCondition {
	condition := v1.PodCondition{Type: kind, Status: v1.ConditionTrue, LastTransitionTime: metav1.NewTime(now)}
	if !holds {
		condition.Status, condition.Reason = v1.ConditionFalse, reason
	}
	for _, last := range pod.Status.Conditions {
		if last.Type == kind && last.Status == condition.Status {
			condition.LastTransitionTime = last.LastTransitionTime
		}
	}
	return condition
}

// containerTime is the time that the containers of a pod have had.
type containerTime struct {
	start   time.Time
	elapsed time.Duration
	now     time.Time
	uid     string
	// next is the time until any of the reports changes.
	next time.Duration
}

// until notes that something changes when so much time has passed in all.
func (r *containerTime) until(at time.Duration) {
	if at > r.elapsed {
		r.next = min(r.next, at-r.elapsed)
	}
}

// at is the time when a container had run for so long.
func (r *containerTime) at(since time.Duration) metav1.Time {
	return metav1.NewTime(r.now.Add(since - r.elapsed))
}

func (r *containerTime) waiting(container v1.Container, reason string) v1.ContainerStatus {
	return v1.ContainerStatus{
		Name:    container.Name,
		Image:   container.Image,
		Started: new(bool),
		State:   v1.ContainerState{Waiting: &v1.ContainerStateWaiting{Reason: reason}},
	}
}

// report is the status of one container under a restart policy.
func (r *containerTime) report(container v1.Container, policy v1.RestartPolicy) v1.ContainerStatus {
	does := parseImage(container.Image)
	status := r.waiting(container, "ContainerCreating")
	if does.noImage {
		r.until(pullTime)
		status.State.Waiting.Reason, status.State.Waiting.Message = "ErrImagePull", "manifest unknown: "+container.Image
		if r.elapsed >= pullTime {
			status.State.Waiting.Reason, status.State.Waiting.Message = "ImagePullBackOff", "Back-off pulling image "+container.Image
		}
		return status
	}
	if r.elapsed < startTime {
		r.until(startTime)
		return status
	}
	status.ImageID = imageID(container.Image)
	ends := policy != v1.RestartPolicyAlways && !does.never
	switch {
	case does.crash || ends && does.fail:
		r.crashing(&status, does, policy)
	case ends:
		r.ending(&status, does, 0)
	case does.restarts > 0:
		r.restarting(&status, does)
	default:
		r.running(&status, startTime)
		from := max(startTime, does.slow)
		r.until(from)
		status.Ready = r.elapsed >= from && !does.never
		if does.fails > 0 {
			r.until(from + does.fails)
			status.Ready = status.Ready && r.elapsed < from+does.fails
		}
	}
	status.ContainerID = fmt.Sprintf("test://%s/%s/%d", r.uid, container.Name, status.RestartCount)
	return status
}

func (r *containerTime) running(status *v1.ContainerStatus, since time.Duration) {
	started := true
	status.Started = &started
	status.State = v1.ContainerState{Running: &v1.ContainerStateRunning{StartedAt: r.at(since)}}
}

// endOf is when a container that ends has ended.
func endOf(does image) time.Duration { return startTime + max(crashTime, does.slow) }

func (r *containerTime) ending(status *v1.ContainerStatus, does image, code int32) {
	end := endOf(does)
	r.until(end)
	if r.elapsed < end {
		r.running(status, startTime)
		status.Ready = true
		return
	}
	status.State = v1.ContainerState{Terminated: r.terminated(code, startTime, end)}
}

// crashing: runs, ends with 1, and is started again at once, then after a wait of 1, 2, 4, … at most 30 seconds.
func (r *containerTime) crashing(status *v1.ContainerStatus, does image, policy v1.RestartPolicy) {
	if policy == v1.RestartPolicyNever {
		r.ending(status, does, 1)
		return
	}
	run, wait := max(crashTime, does.slow), time.Duration(0)
	for start := startTime; ; start += run + wait {
		if status.RestartCount > 0 {
			wait = min(time.Second<<min(status.RestartCount-1, 5), 30*time.Second)
		}
		end := start + run
		if r.elapsed < end {
			r.until(end)
			r.running(status, start)
			return
		}
		status.LastTerminationState.Terminated = r.terminated(1, start, end)
		if r.elapsed < end+wait {
			r.until(end + wait)
			status.State = v1.ContainerState{Waiting: &v1.ContainerStateWaiting{
				Reason:  "CrashLoopBackOff",
				Message: fmt.Sprintf("back-off %v restarting failed container=%s", wait, status.Name),
			}}
			return
		}
		status.RestartCount++
	}
}

// restarting: is ready a moment after each start, until it is killed and started again at once.
func (r *containerTime) restarting(status *v1.ContainerStatus, does image) {
	from := max(startTime, does.slow)
	if r.elapsed < from {
		r.until(from)
		r.running(status, startTime)
		return
	}
	status.RestartCount = int32((r.elapsed - from) / does.restarts)
	start := from + time.Duration(status.RestartCount)*does.restarts
	r.until(start + does.restarts)
	r.running(status, start)
	status.Ready = true
	if status.RestartCount > 0 {
		// not ready while it starts again
		r.until(start + startTime)
		status.Ready = r.elapsed >= start+startTime
		status.LastTerminationState.Terminated = r.terminated(137, start-does.restarts, start)
	}
}

func (r *containerTime) terminated(code int32, from, to time.Duration) *v1.ContainerStateTerminated {
	reasons := map[int32]string{0: "Completed", 1: "Error", 137: "OOMKilled"}
	return &v1.ContainerStateTerminated{ExitCode: code, Reason: reasons[code], StartedAt: r.at(from), FinishedAt: r.at(to)}
}

// imageID is the digest in a reference, or one that stands for its tag.
func imageID(reference string) string {
	if strings.Contains(reference, "@") {
		return reference
	}
	return fmt.Sprintf("%s@sha256:%x", reference, sha256.Sum256([]byte(reference)))
}
