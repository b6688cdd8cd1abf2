package main

import (
	"context"
	"errors"
	"time"

	autoscaling "k8s.io/api/autoscaling/v2"
	v1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/labels"
	corelisters "k8s.io/client-go/listers/core/v1"
	"k8s.io/kubernetes/pkg/controller/podautoscaler/metrics"
)

// podMetrics tells the real autoscaler what a metrics server would: the use of processors and memory by each container, as
// its image says. Other metrics have no source here, which the autoscaler reports in its conditions.
type podMetrics struct{ pods corelisters.PodLister }

var _ metrics.MetricsClient = podMetrics{}

func (m podMetrics) GetResourceMetric(_ context.Context, resource v1.ResourceName, namespace string, selector labels.Selector,
	container string) (metrics.PodMetricsInfo, time.Time, error) {
	pods, err := m.pods.Pods(namespace).List(selector)
	if err != nil {
		return nil, time.Time{}, err
	}
	now := time.Now()
	info := metrics.PodMetricsInfo{}
	for _, pod := range pods {
		if pod.Status.Phase != v1.PodRunning {
			continue
		}
		var used float64
		for _, each := range pod.Spec.Containers {
			if container == "" || container == each.Name {
				used += float64(each.Resources.Requests.Name(resource, "").MilliValue()) * parseImage(each.Image).load / 100
			}
		}
		info[pod.Name] = metrics.PodMetric{Timestamp: now, Window: time.Second, Value: int64(used)}
	}
	return info, now, nil
}

var errNoSource = errors.New("this cluster measures processors and memory only")

func (podMetrics) GetRawMetric(string, string, labels.Selector, labels.Selector) (metrics.PodMetricsInfo, time.Time, error) {
	return nil, time.Time{}, errNoSource
}

func (podMetrics) GetObjectMetric(string, string, *autoscaling.CrossVersionObjectReference, labels.Selector) (int64, time.Time, error) {
	return 0, time.Time{}, errNoSource
}

func (podMetrics) GetExternalMetric(string, string, labels.Selector) ([]int64, time.Time, error) {
	return nil, time.Time{}, errNoSource
}
