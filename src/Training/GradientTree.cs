using System.Numerics;
using SafeLlama.Distributed;
using SafeLlama.Kernels;
using SafeLlama.Model;

namespace SafeLlama.Training;

/// <summary>Adds up the gradients of a step's micro-batches along a binary tree that no number of ranks
/// changes.</summary>
/// <remarks>
/// Leaf m is the gradient of micro-batch m, alone. A node of n &gt; 1 leaves is the sum of its first 2^k leaves, the
/// largest power of two below n, and of the rest. Rank i of N computes the leaves from ⌈i·n/N⌉ to ⌈(i+1)·n/N⌉; sums of
/// nodes whose leaves lie on one rank need no message, others go to the rank that holds their first leaf. Additions are
/// thus the same, in fp32 too, for any N.
/// </remarks>
internal sealed class GradientTree : IDisposable
{
    private readonly Elementwise _ops;
    private readonly ICommunicator _ranks;
    private readonly Arena _arena;
    private readonly Tensor[] _gradients;
    private readonly Tensor[][] _buffers;
    private readonly Tensor[] _received;
    private readonly byte[] _message;
    private readonly double[] _totals;
    private readonly Stack<Node> _nodes = new();
    private readonly Stack<int> _free = new();
    private int _count;

    /// <param name="maxMicroBatches">The most micro-batches of a step.</param>
    public GradientTree(
        IBackend backend, IReadOnlyList<Parameter> parameters, int maxMicroBatches, ICommunicator ranks)
    {
        (_ops, _ranks, _gradients) = (backend.Elementwise, ranks, [.. parameters.Select(p => p.Gradient)]);
        _arena = new Arena(backend, "sums of micro-batches");
        _buffers = [.. Enumerable.Range(0, SumsAtOnce(maxMicroBatches, ranks.Size)).Select(_ => Like(parameters))];
        _received = ranks.Size > 1 ? Like(parameters) : [];
        _arena.Commit();
        _totals = new double[maxMicroBatches + 1];
        _message = ranks.Size > 1
            ? new byte[GradientMessage.LengthOf(_gradients) + (_totals.Length * sizeof(double))]
            : [];
    }

    /// <summary>Whether a rank asked all to stop, when the last step's gradients were added up.</summary>
    public bool StopIsAsked { get; private set; }

    /// <summary>Copies of all gradients that sums need, beside the gradients themselves: ⌈log₂ n⌉ on one
    /// rank.</summary>
    public static int CopiesFor(int microBatches, int ranks) =>
        SumsAtOnce(microBatches, ranks) + (ranks > 1 ? 2 : 0);    // one received, and the message itself

    /// <summary>The micro-batches of a step that this rank computes.</summary>
    public (int First, int End) Share(int count) => ShareOf(_ranks.Rank, _ranks.Size, count);

    /// <summary>A step begins.</summary>
    /// <param name="count">Its micro-batches.</param>
    public void Begin(int count)
    {
        _count = count;
        _nodes.Clear();
        _free.Clear();
        for (var buffer = _buffers.Length - 1; buffer >= 0; buffer--)
        {
            _free.Push(buffer);
        }
    }

    /// <summary>The parameters' gradients are those of one micro-batch: takes them into the tree.</summary>
    /// <param name="microBatch">Rising within this rank's share.</param>
    public void Add(int microBatch)
    {
        if (_count == 1)
        {
            return;             // the one leaf is the sum, and stays where it is
        }

        var (first, leaves) = (microBatch, 1);
        while (_nodes.TryPeek(out var left) && left.Leaves == leaves && left.First == first - leaves
            && left.First % (2 * leaves) == 0)
        {
            _nodes.Pop();
            AddTo(_buffers[left.Buffer], _gradients);
            _free.Push(left.Buffer);
            (first, leaves) = (left.First, 2 * leaves);
        }

        var buffer = _free.Pop();
        foreach (var tensor in _buffers[buffer])
        {
            tensor.Clear();
        }

        AddTo(_gradients, _buffers[buffer]);
        _nodes.Push(new(first, leaves, buffer));
    }

    /// <summary>Leaves the sum over all micro-batches in the gradients of every rank.</summary>
    /// <param name="losses">[n + …] Float64: the micro-batches' losses; those of other ranks are filled in.</param>
    /// <param name="stop">Whether this rank asks all to stop.</param>
    public void Sum(Tensor losses, bool stop)
    {
        StopIsAsked = stop;
        if (_count == 1 && _ranks.Size == 1)
        {
            return;
        }

        var totals = _totals.AsSpan(0, _count + 1);
        if (_ranks.Size > 1)
        {
            losses.SliceVector(0, _count).ReadDoubles(totals[.._count]);
            totals[_count] = AnyWithoutLeaf(stop) || stop ? 1 : 0;
        }

        if (_count > 1)
        {
            Combine(0, _count, totals);
            if (_ranks.Rank == 0)
            {
                foreach (var gradient in _gradients)
                {
                    gradient.Clear();
                }

                AddTo(_buffers[_nodes.Pop().Buffer], _gradients);
            }
        }

        Share(losses, totals);
    }

    public void Dispose() => _arena.Dispose();

    private int MessageBytes => Math.Max(0, _message.Length - ((_totals.Length - _count - 1) * sizeof(double)));

    /// <summary>The most sums of whole nodes that a rank holds at a time; the last step of an epoch may have fewer
    /// micro-batches than others.</summary>
    private static int SumsAtOnce(int microBatches, int ranks) => Enumerable.Range(1, microBatches).Max(count =>
        count == 1 ? 0 : Enumerable.Range(0, ranks).Max(rank => SumsAtOnce(ShareOf(rank, ranks, count))));

    private static int SumsAtOnce((int First, int End) share)
    {
        var (most, nodes) = (0, new Stack<(int First, int Leaves)>());
        for (var m = share.First; m < share.End; m++)
        {
            var node = (First: m, Leaves: 1);
            while (nodes.TryPeek(out var left) && left.Leaves == node.Leaves && left.First == node.First - node.Leaves
                && left.First % (2 * node.Leaves) == 0)
            {
                node = (left.First, 2 * node.Leaves);
                nodes.Pop();
            }

            nodes.Push(node);
            most = Math.Max(most, nodes.Count);
        }

        return most;
    }

    private static (int First, int End) ShareOf(int rank, int ranks, int count) =>
        ((int)((((long)rank * count) + ranks - 1) / ranks), (int)((((long)(rank + 1) * count) + ranks - 1) / ranks));

    /// <summary>The rank that computes a leaf.</summary>
    private int OwnerOf(int leaf) => (int)((long)leaf * _ranks.Size / _count);

    /// <summary>Brings a node's sum to the rank of its first leaf. Every rank walks the tree in the same
    /// order.</summary>
    private void Combine(int first, int end, Span<double> totals)
    {
        var share = Share(_count);
        if (share.First == share.End || end <= share.First || first >= share.End
            || IsSummed(first, end))
        {
            return;
        }

        var middle = first + (int)(BitOperations.RoundUpToPowerOf2((uint)(end - first)) / 2);
        Combine(first, middle, totals);
        Combine(middle, end, totals);
        var (left, right) = (OwnerOf(first), OwnerOf(middle));
        var bytes = _message.AsSpan(0, MessageBytes);
        if (left == _ranks.Rank && right == left)
        {
            var (b, a) = (_nodes.Pop(), _nodes.Pop());
            AddTo(_buffers[b.Buffer], _buffers[a.Buffer]);
            _nodes.Push(a with { Leaves = end - first });
        }
        else if (left == _ranks.Rank)
        {
            _ranks.Receive(right, bytes);
            GradientMessage.Read(bytes, _received, totals);
            var node = _nodes.Pop();
            AddTo(_received, _buffers[node.Buffer]);
            _nodes.Push(node with { Leaves = end - first });
        }
        else if (right == _ranks.Rank)
        {
            GradientMessage.Write(bytes, _buffers[Find(middle).Buffer], totals);
            _ranks.Send(left, bytes);
            totals.Clear();        // told; a second node must not tell them again
        }
    }

    private bool IsSummed(int first, int end) => Find(first).Leaves == end - first;

    /// <summary>The node that begins with a leaf; one without leaves where there is none.</summary>
    private Node Find(int first)
    {
        foreach (var node in _nodes)
        {
            if (node.First == first)
            {
                return node;
            }
        }

        return default;
    }

    /// <summary>Rank 0's sum to all.</summary>
    private void Share(Tensor losses, Span<double> totals)
    {
        if (_ranks.Size == 1)
        {
            return;
        }

        var bytes = _message.AsSpan(0, MessageBytes);
        if (_ranks.IsFirst())
        {
            GradientMessage.Write(bytes, _gradients, totals);
        }

        _ranks.Broadcast(bytes);
        if (!_ranks.IsFirst())
        {
            totals.Clear();
            GradientMessage.Read(bytes, _gradients, totals);
        }

        losses.SliceVector(0, _count).Write(totals[.._count]);
        StopIsAsked = totals[_count] > 0;
    }

    /// <summary>A rank beyond the last micro-batch has no part in the tree, but may ask to stop: whether any did, on
    /// rank 0.</summary>
    private bool AnyWithoutLeaf(bool stop) =>
        _ranks.Size > _count && _ranks.Gather([stop ? (byte)1 : (byte)0]).Any(asked => asked[0] != 0);

    private Tensor[] Like(IReadOnlyList<Parameter> parameters) =>
        [.. parameters.Select(p => _arena.Take(p.Gradient.Shape, p.Gradient.Type, $"sum {p.Name}"))];

    private void AddTo(Tensor[] x, Tensor[] y)
    {
        for (var i = 0; i < x.Length; i++)
        {
            _ops.Add(x[i], y[i]);
        }
    }

    /// <param name="Buffer">Where its sum is.</param>
    private readonly record struct Node(int First, int Leaves, int Buffer);
}
