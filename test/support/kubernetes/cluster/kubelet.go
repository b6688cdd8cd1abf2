package main

import (
	"context"
	"encoding/json"
	"fmt"
	"hash/fnv"
	"log"
	"sync"
	"time"

	v1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/equality"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/informers"
	"k8s.io/client-go/kubernetes"
	corelisters "k8s.io/client-go/listers/core/v1"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/cache"
	"k8s.io/client-go/util/workqueue"
	"k8s.io/component-helpers/scheduling/corev1/nodeaffinity"
)

const (
	nodeCount = 3
	// nodeIP is of a net for documentation: loopback addresses are refused in endpoints.
	nodeIP = "192.0.2.1"
	// syncWorkers handle that many pods at once.
	syncWorkers = 8
)

// kubelet stands in for the scheduler and for the kubelets of all nodes.
type kubelet struct {
	client kubernetes.Interface
	pods   corelisters.PodLister
	nodes  corelisters.NodeLister
	queue  workqueue.TypedRateLimitingInterface[cache.ObjectName]

	mutex sync.Mutex
	// started has the moments when pods came to their nodes: the API knows seconds only.
	started map[types.UID]time.Time
}

// startKubelet makes the nodes, and starts to bind pods to them and to report what becomes of the pods.
func startKubelet(ctx context.Context, api *rest.Config, factory informers.SharedInformerFactory) error {
	core := factory.Core().V1()
	k := &kubelet{
		client:  kubernetes.NewForConfigOrDie(unlimited(api, "kubelet")),
		pods:    core.Pods().Lister(),
		nodes:   core.Nodes().Lister(),
		queue:   workqueue.NewTypedRateLimitingQueue(workqueue.NewTypedItemExponentialFailureRateLimiter[cache.ObjectName](50*time.Millisecond, 5*time.Second)),
		started: map[types.UID]time.Time{},
	}
	for i := range nodeCount {
		if err := k.register(ctx, fmt.Sprintf("node-%d", i+1)); err != nil {
			return err
		}
	}
	enqueue := func(object any) {
		if name, err := cache.DeletionHandlingObjectToName(object); err == nil {
			k.queue.Add(name)
		}
	}
	_, err := core.Pods().Informer().AddEventHandler(cache.ResourceEventHandlerFuncs{
		AddFunc:    enqueue,
		UpdateFunc: func(_, object any) { enqueue(object) },
		DeleteFunc: func(object any) {
			if pod, ok := object.(*v1.Pod); ok {
				k.mutex.Lock()
				delete(k.started, pod.UID)
				k.mutex.Unlock()
			}
		},
	})
	if err != nil {
		return err
	}
	_, err = core.PersistentVolumeClaims().Informer().AddEventHandler(cache.ResourceEventHandlerFuncs{
		AddFunc: func(object any) { k.provide(ctx, object.(*v1.PersistentVolumeClaim)) },
	})
	if err != nil {
		return err
	}
	factory.Start(ctx.Done())
	factory.WaitForCacheSync(ctx.Done())
	for range syncWorkers {
		go func() {
			for {
				name, ended := k.queue.Get()
				if ended {
					return
				}
				if err := k.sync(ctx, name); err != nil {
					log.Printf("kubelet: pod %s: %v", name, err)
					k.queue.AddRateLimited(name)
				} else {
					k.queue.Forget(name)
				}
				k.queue.Done(name)
			}
		}()
	}
	return nil
}

func (k *kubelet) register(ctx context.Context, name string) error {
	capacity := v1.ResourceList{
		v1.ResourceCPU:    resource.MustParse("64"),
		v1.ResourceMemory: resource.MustParse("256Gi"),
		v1.ResourcePods:   resource.MustParse("1000"),
	}
	node := &v1.Node{
		ObjectMeta: metav1.ObjectMeta{Name: name, Labels: map[string]string{v1.LabelHostname: name, v1.LabelOSStable: "linux"}},
		Status: v1.NodeStatus{
			Capacity:    capacity,
			Allocatable: capacity,
			Conditions:  []v1.NodeCondition{{Type: v1.NodeReady, Status: v1.ConditionTrue, Reason: "Test"}},
		},
	}
	_, err := k.client.CoreV1().Nodes().Create(ctx, node, metav1.CreateOptions{})
	if apierrors.IsAlreadyExists(err) {
		return nil
	}
	return err
}

// sync does the next thing for a pod: binds it, reports its status, or removes it.
func (k *kubelet) sync(ctx context.Context, name cache.ObjectName) error {
	pod, err := k.pods.Pods(name.Namespace).Get(name.Name)
	if err != nil {
		return ignoreGone(err)
	}
	api := k.client.CoreV1().Pods(pod.Namespace)
	switch {
	case pod.DeletionTimestamp != nil:
		now := int64(0)
		return ignoreGone(api.Delete(ctx, pod.Name, metav1.DeleteOptions{GracePeriodSeconds: &now, Preconditions: metav1.NewUIDPreconditions(string(pod.UID))}))
	case pod.Status.Phase == v1.PodSucceeded || pod.Status.Phase == v1.PodFailed:
		return nil
	case pod.Spec.NodeName == "":
		return k.bind(ctx, pod, name)
	default:
		return k.report(ctx, pod, name)
	}
}

// bind gives a pod to one of the nodes that its selector and its affinity allow. The pods of a DaemonSet allow one each.
func (k *kubelet) bind(ctx context.Context, pod *v1.Pod, name cache.ObjectName) error {
	nodes, err := k.nodes.List(labels.Everything())
	if err != nil {
		return err
	}
	var allowed []string
	required := nodeaffinity.GetRequiredNodeAffinity(pod)
	for _, node := range nodes {
		if matches, err := required.Match(node); err == nil && matches && !node.Spec.Unschedulable {
			allowed = append(allowed, node.Name)
		}
	}
	if len(allowed) == 0 {
		// labels of nodes may change
		k.queue.AddAfter(name, time.Second)
		condition := conditionOf(pod, v1.PodScheduled, false, v1.PodReasonUnschedulable, time.Now())
		condition.Message = fmt.Sprintf("0/%d nodes are available: none matches the pod's node selector and affinity", len(nodes))
		return k.patch(ctx, pod, v1.PodStatus{Phase: v1.PodPending, Conditions: []v1.PodCondition{condition}})
	}
	binding := &v1.Binding{
		ObjectMeta: metav1.ObjectMeta{Name: pod.Name, Namespace: pod.Namespace, UID: pod.UID},
		Target:     v1.ObjectReference{Kind: "Node", Name: allowed[hash(pod.UID)%uint32(len(allowed))]},
	}
	return ignoreGone(k.client.CoreV1().Pods(pod.Namespace).Bind(ctx, binding, metav1.CreateOptions{}))
}

func (k *kubelet) report(ctx context.Context, pod *v1.Pod, name cache.ObjectName) error {
	now := time.Now()
	k.mutex.Lock()
	start, known := k.started[pod.UID]
	if !known {
		start = now
		if pod.Status.StartTime != nil {
			start = pod.Status.StartTime.Time
		}
		k.started[pod.UID] = start
	}
	k.mutex.Unlock()
	status, next := statusOf(pod, now.Sub(start), now)
	if next != never {
		// a moment later, so that the change has come by then
		k.queue.AddAfter(name, next+time.Millisecond)
	}
	return k.patch(ctx, pod, status)
}

// patch writes a status unless the pod has it.
func (k *kubelet) patch(ctx context.Context, pod *v1.Pod, status v1.PodStatus) error {
	if sameStatus(pod.Status, status) {
		return nil
	}
	content, err := json.Marshal(map[string]any{"metadata": map[string]any{"uid": pod.UID}, "status": status})
	if err != nil {
		return err
	}
	_, err = k.client.CoreV1().Pods(pod.Namespace).Patch(ctx, pod.Name, types.StrategicMergePatchType, content, metav1.PatchOptions{}, "status")
	return ignoreGone(err)
}

// sameStatus compares what decides: times of one state differ by parts of a second when they are computed again.
func sameStatus(a, b v1.PodStatus) bool {
	if a.Phase != b.Phase || !sameContainers(a.InitContainerStatuses, b.InitContainerStatuses) || !sameContainers(a.ContainerStatuses, b.ContainerStatuses) {
		return false
	}
	held := map[v1.PodConditionType]v1.ConditionStatus{}
	for _, each := range a.Conditions {
		held[each.Type] = each.Status
	}
	for _, each := range b.Conditions {
		if held[each.Type] != each.Status {
			return false
		}
	}
	return true
}

func sameContainers(a, b []v1.ContainerStatus) bool {
	if len(a) != len(b) {
		return false
	}
	essence := func(each v1.ContainerStatus) []any {
		return []any{each.Name, each.Image, each.Ready, each.RestartCount, each.State.Waiting, each.State.Running != nil, each.State.Terminated != nil}
	}
	for i := range a {
		if !equality.Semantic.DeepEqual(essence(a[i]), essence(b[i])) {
			return false
		}
	}
	return true
}

// provide binds a claim at once, as a storage class with a provisioner would.
func (k *kubelet) provide(ctx context.Context, claim *v1.PersistentVolumeClaim) {
	if claim.Status.Phase == v1.ClaimBound {
		return
	}
	bound := claim.DeepCopy()
	bound.Status.Phase = v1.ClaimBound
	bound.Status.AccessModes = claim.Spec.AccessModes
	bound.Status.Capacity = claim.Spec.Resources.Requests
	_, err := k.client.CoreV1().PersistentVolumeClaims(claim.Namespace).UpdateStatus(ctx, bound, metav1.UpdateOptions{})
	if ignoreGone(err) != nil {
		log.Printf("kubelet: claim %s/%s: %v", claim.Namespace, claim.Name, err)
	}
}

// ignoreGone: a pod that has changed or gone meanwhile comes by again, or not at all.
func ignoreGone(err error) error {
	if apierrors.IsNotFound(err) || apierrors.IsConflict(err) {
		return nil
	}
	return err
}

func hash(uid types.UID) uint32 {
	sum := fnv.New32a()
	_, _ = sum.Write([]byte(uid))
	return sum.Sum32()
}

// ipOf is an address that two pods hardly ever share.
func ipOf(uid types.UID) string {
	sum := hash(uid)
	return fmt.Sprintf("10.%d.%d.%d", 64+sum>>16%64, sum>>8%256, 1+sum%254)
}
