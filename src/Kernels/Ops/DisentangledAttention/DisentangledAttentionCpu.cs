using System.Runtime.CompilerServices;

namespace SafeLlama.Kernels;

/// <summary>A tile per sequence and head forward; per head backward, so that distances add up in order.</summary>
internal sealed unsafe class DisentangledAttentionCpu<TLanes>(TilePool pool) : DisentangledAttention
    where TLanes : struct, ILanes<TLanes>
{
    /// <summary>The first row of every sequence, and the row behind the last.</summary>
    private readonly List<int> _starts = [];

    protected override void ForwardCore(
        in DisentangledInput input, int headDim, double scale, Tensor y, Tensor logSum)
    {
        FindSequences(input);
        var op = (T: new DisentangledOperands<TLanes>(input, headDim, scale, logSum), y, Starts: _starts);
        pool.For((_starts.Count - 1) * op.T.Heads, op, static (in o, tile) =>
        {
            var (sequence, head) = (tile / o.T.Heads, tile % o.T.Heads);
            var (first, end) = (o.Starts[sequence], o.Starts[sequence + 1]);
            Forward(o.T, o.T.Tile(first, end - first, head), o.y);
        });
    }

    protected override void BackwardCore(
        Tensor dy, in DisentangledInput input, int headDim, double scale, Tensor logSum,
        in DisentangledGradients into)
    {
        FindSequences(input);
        var op = (T: new DisentangledOperands<TLanes>(input, headDim, scale, logSum), dy, into, Starts: _starts);
        pool.For(op.T.Heads, op, static (in o, head) =>
        {
            for (var s = 0; s < o.Starts.Count - 1; s++)
            {
                Backward(o.T, o.T.Tile(o.Starts[s], o.Starts[s + 1] - o.Starts[s], head), o.dy, o.into);
            }
        });
    }

    private static void Forward(in DisentangledOperands<TLanes> o, in DisentangledTile t, Tensor y)
    {
        o.Score(t);
        for (var i = 0; i < t.Length; i++)
        {
            o.LogSum.At(t.First + i)[t.Head] = Softmax(t.ScoreRow(i), t.Length);
        }

        o.Combine(
            t, (t.Scores, t.Length, false), o.Value(t), o.Of(y, t.First, t.Head), (t.Length, t.Length), add: false);
    }

    private static void Backward(
        in DisentangledOperands<TLanes> o, in DisentangledTile t, Tensor dy, in DisentangledGradients into)
    {
        o.Score(t);
        var (square, dys) = ((t.Length, t.Length), o.Of(dy, t.First, t.Head));
        o.Multiply(t, dys, o.Value(t), (t.Gradients, t.Length), square, 1);
        new Span<float>((float*)t.ByQuery, (t.Length + t.ByKeyStride) * t.Width).Clear();
        for (var i = 0; i < t.Length; i++)
        {
            ScoreGradient(t.ScoreRow(i), o.LogSum.At(t.First + i)[t.Head], t.GradientRow(i), t.Length, o.Scale);
            AddUpDistances(t, i);
        }

        var (dq, dk) = (o.Of(into.Query, t.First, t.Head), o.Of(into.Key, t.First, t.Head));
        o.Combine(t, (t.Scores, t.Length, true), dys, o.Of(into.Value, t.First, t.Head), square, add: false);
        o.Combine(t, (t.Gradients, t.Length, false), o.Key(t), dq, square, add: false);
        o.Combine(t, (t.Gradients, t.Length, true), o.Query(t), dk, square, add: false);
        o.Combine(t, (t.ByQuery, t.Width, false), o.RelativeKey(t), dq, (t.Length, t.Width), add: true);
        o.Combine(t, (t.ByKey, t.ByKeyStride, true), o.RelativeQuery(t), dk, (t.Length, t.Width), add: true);
        var (dkr, dqr) = (o.Of(into.RelativeKey, t.Low, t.Head), o.Of(into.RelativeQuery, t.Low, t.Head));
        o.Combine(t, (t.ByQuery, t.Width, true), o.Query(t), dkr, (t.Width, t.Length), add: true);
        o.Combine(t, (t.ByKey, t.ByKeyStride, false), o.Key(t), dqr, (t.Width, t.Length), add: true);
    }

    /// <summary>Turns a row of scores into probabilities; returns log Σ exp.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static float Softmax(float* scores, int count)
    {
        var largest = TLanes.Broadcast(float.NegativeInfinity);
        for (var i = 0; i < count; i += TLanes.Count)
        {
            largest = TLanes.Max(Lanes.Load<TLanes>(scores + i, count - i, float.NegativeInfinity), largest);
        }

        var max = TLanes.Largest(largest);
        var (shift, sum) = (TLanes.Broadcast(max), default(TLanes));
        for (var i = 0; i < count; i += TLanes.Count)
        {
            var p = LaneMath.Exp(Lanes.Load<TLanes>(scores + i, count - i, float.NegativeInfinity) - shift);
            Lanes.Store(scores + i, count - i, p);
            sum += p;
        }

        var total = TLanes.Sum(sum);
        var share = TLanes.Broadcast(1 / total);
        for (var i = 0; i < count; i += TLanes.Count)
        {
            Lanes.Store(scores + i, count - i, Lanes.Load<TLanes>(scores + i, count - i) * share);
        }

        return max + MathF.Log(total);
    }

    /// <summary>
    /// Turns a row of scores into probabilities p, and dp beside it into g = scale · p · (dp − Σ p · dp).
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void ScoreGradient(float* scores, float logSum, float* gradients, int count, float scale)
    {
        var (shift, sum) = (TLanes.Broadcast(logSum), default(TLanes));
        for (var i = 0; i < count; i += TLanes.Count)
        {
            var p = LaneMath.Exp(Lanes.Load<TLanes>(scores + i, count - i, float.NegativeInfinity) - shift);
            Lanes.Store(scores + i, count - i, p);
            sum = TLanes.MultiplyAdd(p, Lanes.Load<TLanes>(gradients + i, count - i), sum);
        }

        var (delta, factor) = (TLanes.Broadcast(TLanes.Sum(sum)), TLanes.Broadcast(scale));
        for (var i = 0; i < count; i += TLanes.Count)
        {
            var p = Lanes.Load<TLanes>(scores + i, count - i) * factor;
            Lanes.Store(gradients + i, count - i, p * (Lanes.Load<TLanes>(gradients + i, count - i) - delta));
        }
    }

    /// <summary>Adds a row of g to its distances: by query [L, W] and by key [W, L].</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void AddUpDistances(in DisentangledTile t, int i)
    {
        float* gradients = t.GradientRow(i), byQuery = t.ByQueryRow(i), byKey = (float*)t.ByKey;
        var (length, stride, low) = (t.Length, t.ByKeyStride, t.Low);
        var buckets = (int*)t.Buckets + i;
        for (var j = 0; j < length; j++)
        {
            var b = buckets[-j] - low;
            byQuery[b] += gradients[j];
            byKey[((long)b * stride) + j] += gradients[j];
        }
    }

    /// <exception cref="ArgumentException">Sequences do not lie one behind the other, or are too long.</exception>
    private void FindSequences(in DisentangledInput input)
    {
        input.Relative.Bucket.RequireIndices(0, input.Relative.Key.Rows, "a bucket is a row of distances");
        var (first, last) = (input.FirstKey.AsElements<int>(), input.LastKey.AsElements<int>());
        _starts.Clear();
        for (var n = 0; n < first.Count; n++)
        {
            var begins = first[n] == n;
            if (begins)
            {
                _starts.Add(n);
            }

            if (_starts.Count == 0 || first[n] != _starts[^1] || last[n] < n || last[n] >= first.Count
                || last[n] != last[first[n]] || (begins && n > 0 && last[n - 1] != n - 1)
                || last[n] - first[n] >= input.Relative.Reach)
            {
                throw new ArgumentException(
                    $"DisentangledAttention: row {n} sees rows {first[n]} … {last[n]}, expected its own sequence of at "
                    + $"most {input.Relative.Reach} rows, one behind the other.");
            }
        }

        _starts.Add(first.Count);
    }
}
