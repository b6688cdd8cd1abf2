package main

import (
	"context"
	"encoding/json"
	"fmt"
	"log"
	"maps"
	"math"
	"net/http"
	"strconv"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"
	v1 "k8s.io/api/core/v1"
	discovery "k8s.io/api/discovery/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/informers"
	corelisters "k8s.io/client-go/listers/core/v1"
	discoverylisters "k8s.io/client-go/listers/discovery/v1"
	"k8s.io/client-go/tools/cache"
)

// visitorsAnnotation of a Service is the number of requests that it gets each second without anybody asking.
const visitorsAnnotation = "cluster.test/visitors-per-second"

// service answers HTTP requests to the services of the cluster at /NAMESPACE/SERVICE/…, as the images of their Ready pods
// say, and measures that for Prometheus at /metrics.
type service struct {
	services corelisters.ServiceLister
	slices   discoverylisters.EndpointSliceLister
	pods     corelisters.PodLister
	requests *prometheus.CounterVec
	seconds  *prometheus.HistogramVec

	gateway *gateway

	mutex sync.Mutex
	turns map[types.NamespacedName]uint64
	// due counts what should have failed at each pod and has not yet, in thousandths of a percent of a request.
	due map[types.UID]int
}

// startService listens on a port, and returns the address.
func startService(ctx context.Context, port int, visitors float64, factory informers.SharedInformerFactory, routes dynamic.Interface) (string, error) {
	core := factory.Core().V1()
	s := &service{
		services: core.Services().Lister(),
		slices:   factory.Discovery().V1().EndpointSlices().Lister(),
		pods:     core.Pods().Lister(),
		requests: prometheus.NewCounterVec(prometheus.CounterOpts{Name: "http_requests_total", Help: "Requests to a service."},
			[]string{"namespace", "service", "code"}),
		seconds: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: "http_request_duration_seconds",
			Help: "Durations of requests to a service.",
			// 1 ms to 10 s, each a fifth wider: a quantile is wrong by less than that
			Buckets: prometheus.ExponentialBuckets(0.001, 1.2, 52),
		}, []string{"namespace", "service"}),
		gateway: newGateway(routes),
		turns:   map[types.NamespacedName]uint64{},
		due:     map[types.UID]int{},
	}
	// series of services that are gone would go on for ever
	_, err := core.Services().Informer().AddEventHandler(cache.ResourceEventHandlerFuncs{
		DeleteFunc: func(object any) {
			if name, err := cache.DeletionHandlingObjectToName(object); err == nil {
				s.forget(types.NamespacedName(name))
			}
		},
	})
	if err != nil {
		return "", err
	}
	registry := prometheus.NewRegistry()
	registry.MustRegister(s.requests, s.seconds, s.gateway.requests)
	mux := http.NewServeMux()
	mux.Handle("GET /metrics", promhttp.HandlerFor(registry, promhttp.HandlerOpts{}))
	mux.HandleFunc("/{namespace}/{service}/{path...}", s.serve)
	mux.HandleFunc("/{namespace}/{service}", s.serve)
	address := fmt.Sprintf("127.0.0.1:%d", port)
	server := &http.Server{Addr: address, Handler: mux, ReadHeaderTimeout: time.Minute}
	go func() { log.Fatal("the service ended: ", server.ListenAndServe()) }()
	go s.gateway.watch(ctx)
	go s.visit(ctx, visitors)
	return "http://" + address, nil
}

func (s *service) serve(writer http.ResponseWriter, request *http.Request) {
	name := types.NamespacedName{Namespace: request.PathValue("namespace"), Name: request.PathValue("service")}
	if _, err := s.services.Services(name.Namespace).Get(name.Name); err != nil {
		http.Error(writer, err.Error(), http.StatusNotFound)
		return
	}
	code, pod, image := s.answer(request.Context(), name)
	writer.Header().Set("content-type", "application/json")
	writer.WriteHeader(code)
	_ = json.NewEncoder(writer).Encode(map[string]string{"service": name.String(), "pod": pod, "image": image})
}

// answer is the answer of a service to one request, by the next of its Ready pods: status, pod and image.
func (s *service) answer(ctx context.Context, name types.NamespacedName) (code int, pod, image string) {
	began := time.Now()
	defer func() {
		s.requests.WithLabelValues(name.Namespace, name.Name, strconv.Itoa(code)).Inc()
		s.seconds.WithLabelValues(name.Namespace, name.Name).Observe(time.Since(began).Seconds())
	}()
	ready, err := s.readyPods(name)
	if err != nil || len(ready) == 0 {
		return http.StatusServiceUnavailable, "", ""
	}
	s.mutex.Lock()
	chosen := ready[s.turns[name]%uint64(len(ready))]
	s.turns[name]++
	does := parseImage(chosen.image)
	// evenly: of each 100 requests exactly as many as the image says
	s.due[chosen.pod.UID] += int(math.Round(does.errors * 1000))
	fails := s.due[chosen.pod.UID] >= 100_000
	if fails {
		s.due[chosen.pod.UID] -= 100_000
	}
	s.mutex.Unlock()
	if does.latency > 0 {
		select {
		case <-time.After(does.latency):
		case <-ctx.Done():
		}
	}
	if fails {
		return http.StatusInternalServerError, chosen.pod.Name, chosen.image
	}
	return http.StatusOK, chosen.pod.Name, chosen.image
}

// serving is a pod behind a service, and the image of the container that serves its port.
type serving struct {
	pod   *v1.Pod
	image string
}

// readyPods are the pods behind a service which its EndpointSlices call ready.
func (s *service) readyPods(name types.NamespacedName) ([]serving, error) {
	slices, err := s.slices.EndpointSlices(name.Namespace).List(labels.SelectorFromSet(labels.Set{discovery.LabelServiceName: name.Name}))
	if err != nil {
		return nil, err
	}
	var ready []serving
	for _, slice := range slices {
		for _, endpoint := range slice.Endpoints {
			if endpoint.Conditions.Ready == nil || !*endpoint.Conditions.Ready || endpoint.TargetRef == nil {
				continue
			}
			pod, err := s.pods.Pods(name.Namespace).Get(endpoint.TargetRef.Name)
			if err == nil && pod.UID == endpoint.TargetRef.UID {
				ready = append(ready, serving{pod, imageFor(pod, slice.Ports)})
			}
		}
	}
	return ready, nil
}

// imageFor is the image of the container that declares one of the ports, or of the first.
func imageFor(pod *v1.Pod, ports []discovery.EndpointPort) string {
	for _, container := range pod.Spec.Containers {
		for _, declared := range container.Ports {
			for _, port := range ports {
				if port.Port != nil && declared.ContainerPort == *port.Port {
					return container.Image
				}
			}
		}
	}
	return pod.Spec.Containers[0].Image
}

// visit sends each service its requests, from the moment when it first has a Ready pod.
func (s *service) visit(ctx context.Context, usual float64) {
	const interval = 50 * time.Millisecond
	due := map[types.NamespacedName]float64{}
	visits := map[types.NamespacedName]float64{}
	for range time.Tick(interval) {
		services, err := s.services.List(labels.Everything())
		if err != nil {
			continue
		}
		names := map[types.NamespacedName]bool{}
		routes, behind := s.gateway.names()
		for name := range routes {
			visits[name] += usual * interval.Seconds()
			for ; visits[name] >= 1; visits[name]-- {
				go s.gateway.visit(ctx, name, s.answer)
			}
		}
		for _, each := range services {
			if len(each.Spec.Selector) == 0 {
				continue
			}
			name := types.NamespacedName{Namespace: each.Namespace, Name: each.Name}
			names[name] = true
			_, opened := due[name]
			if !opened {
				if ready, err := s.readyPods(name); err != nil || len(ready) == 0 {
					continue
				}
				s.open(name)
			}
			if behind[name] {
				continue
			}
			due[name] += rate(each, usual) * interval.Seconds()
			for ; due[name] >= 1; due[name]-- {
				go s.answer(ctx, name)
			}
		}
		maps.DeleteFunc(due, func(name types.NamespacedName, _ float64) bool { return !names[name] })
	}
}

// open starts the series of a service at zero, so that the first failure is an increase.
func (s *service) open(name types.NamespacedName) {
	for _, code := range []int{http.StatusOK, http.StatusInternalServerError, http.StatusServiceUnavailable} {
		s.requests.WithLabelValues(name.Namespace, name.Name, strconv.Itoa(code))
	}
	s.seconds.WithLabelValues(name.Namespace, name.Name)
}

func (s *service) forget(name types.NamespacedName) {
	match := prometheus.Labels{"namespace": name.Namespace, "service": name.Name}
	s.requests.DeletePartialMatch(match)
	s.seconds.DeletePartialMatch(match)
}

func rate(each *v1.Service, usual float64) float64 {
	value, given := each.Annotations[visitorsAnnotation]
	if !given {
		return usual
	}
	perSecond, err := strconv.ParseFloat(value, 64)
	if err != nil {
		return usual
	}
	return max(0, perSecond)
}
