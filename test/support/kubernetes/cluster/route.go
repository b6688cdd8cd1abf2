package main

import (
	"context"
	"fmt"
	"strconv"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/dynamic"
)

var httpRoutes = schema.GroupVersionResource{Group: "gateway.networking.k8s.io", Version: "v1", Resource: "httproutes"}

// gateway stands in for a controller of the Gateway API: it sends the visitors of each HTTPRoute to the backends of its
// first rule that has some, by their weights.
type gateway struct {
	client   dynamic.Interface
	requests *prometheus.CounterVec

	mutex  sync.Mutex
	routes map[types.NamespacedName]*route
}

type route struct {
	weights map[string]int64
	// turns is what each backend is still owed, in requests times all weights: the smooth round robin of nginx.
	turns map[string]int64
}

func newGateway(client dynamic.Interface) *gateway {
	return &gateway{
		client: client,
		requests: prometheus.NewCounterVec(prometheus.CounterOpts{Name: "route_requests_total", Help: "Requests to an HTTPRoute."},
			[]string{"namespace", "route", "backend", "code"}),
		routes: map[types.NamespacedName]*route{},
	}
}

// watch reads the routes again and again. A cluster without the definition has none.
func (g *gateway) watch(ctx context.Context) {
	for range time.Tick(200 * time.Millisecond) {
		list, err := g.client.Resource(httpRoutes).List(ctx, metav1.ListOptions{})
		if err != nil {
			list = &unstructured.UnstructuredList{}
		}
		g.mutex.Lock()
		known := g.routes
		g.routes = map[types.NamespacedName]*route{}
		for _, each := range list.Items {
			name := types.NamespacedName{Namespace: each.GetNamespace(), Name: each.GetName()}
			found := &route{weights: weightsOf(each.Object), turns: map[string]int64{}}
			if before, ok := known[name]; ok && fmt.Sprint(before.weights) == fmt.Sprint(found.weights) {
				found = before
			}
			g.routes[name] = found
		}
		g.mutex.Unlock()
	}
}

func weightsOf(object map[string]any) map[string]int64 {
	weights := map[string]int64{}
	rules, _, _ := unstructured.NestedSlice(object, "spec", "rules")
	for _, rule := range rules {
		fields, _ := rule.(map[string]any)
		refs, _, _ := unstructured.NestedSlice(fields, "backendRefs")
		for _, each := range refs {
			ref, _ := each.(map[string]any)
			name, _, _ := unstructured.NestedString(ref, "name")
			weight, found, _ := unstructured.NestedInt64(ref, "weight")
			if !found {
				weight = 1
			}
			weights[name] += weight
		}
		if len(weights) > 0 {
			break
		}
	}
	return weights
}

// names are the routes, and the Services behind them: these have no visitors of their own.
func (g *gateway) names() (routes, behind map[types.NamespacedName]bool) {
	g.mutex.Lock()
	defer g.mutex.Unlock()
	routes, behind = map[types.NamespacedName]bool{}, map[types.NamespacedName]bool{}
	for name, each := range g.routes {
		routes[name] = true
		for backend := range each.weights {
			behind[types.NamespacedName{Namespace: name.Namespace, Name: backend}] = true
		}
	}
	return routes, behind
}

// next is the backend of the next request to a route; empty when it has none.
func (g *gateway) next(name types.NamespacedName) string {
	g.mutex.Lock()
	defer g.mutex.Unlock()
	each, ok := g.routes[name]
	if !ok {
		return ""
	}
	chosen, total := "", int64(0)
	for backend, weight := range each.weights {
		total += weight
		each.turns[backend] += weight
		if chosen == "" || each.turns[backend] > each.turns[chosen] {
			chosen = backend
		}
	}
	each.turns[chosen] -= total
	return chosen
}

// visit sends one request to a route.
func (g *gateway) visit(ctx context.Context, name types.NamespacedName, answer func(context.Context, types.NamespacedName) (int, string, string)) {
	backend := g.next(name)
	if backend == "" {
		return
	}
	code, _, _ := answer(ctx, types.NamespacedName{Namespace: name.Namespace, Name: backend})
	g.requests.WithLabelValues(name.Namespace, name.Name, backend, strconv.Itoa(code)).Inc()
}
