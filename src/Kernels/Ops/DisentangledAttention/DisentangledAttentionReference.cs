namespace SafeLlama.Kernels;

/// <summary>The equation as fp64 loops.</summary>
public sealed class DisentangledAttentionReference : DisentangledAttention
{
    protected override void ForwardCore(
        in DisentangledInput input, int headDim, double scale, Tensor y, Tensor logSum)
    {
        var t = new Operands(input, headDim, scale);
        var (ys, sums) = (y.AsRows<double>(), logSum.AsRows<double>());
        for (var i = 0; i < y.Rows; i++)
        {
            for (var h = 0; h < t.Heads; h++)
            {
                var (first, last) = (t.First[i], t.Last[i]);
                var scores = new double[last - first + 1];
                for (var j = first; j <= last; j++)
                {
                    scores[j - first] = t.Score(i, j, h);
                }

                var max = scores.Max();
                sums[i][h] = max + Math.Log(scores.Sum(s => Math.Exp(s - max)));
                var result = t.Of(ys[i], h);
                result.Clear();
                for (var j = first; j <= last; j++)
                {
                    LinearReference.AddScaled(
                        Math.Exp(scores[j - first] - sums[i][h]), t.Of(t.V[j], h), result);
                }
            }
        }
    }

    protected override void BackwardCore(
        Tensor dy, in DisentangledInput input, int headDim, double scale, Tensor logSum,
        in DisentangledGradients into)
    {
        var t = new Operands(input, headDim, scale);
        var (dys, sums) = (dy.AsDoubles(), logSum.AsRows<double>());
        var (dq, dk, dv) = (into.Query.AsRows<double>(), into.Key.AsRows<double>(), into.Value.AsRows<double>());
        var (dkr, dqr) = (into.RelativeKey.AsRows<double>(), into.RelativeQuery.AsRows<double>());
        for (var i = 0; i < dy.Rows; i++)
        {
            dq[i].Clear();
            dk[i].Clear();
            dv[i].Clear();
        }

        for (var i = 0; i < dy.Rows; i++)
        {
            for (var h = 0; h < t.Heads; h++)
            {
                var delta = 0.0;
                for (var j = t.First[i]; j <= t.Last[i]; j++)
                {
                    delta += Math.Exp(t.Score(i, j, h) - sums[i][h])
                        * LinearReference.Dot(t.Of(dys[i], h), t.Of(t.V[j], h));
                }

                for (var j = t.First[i]; j <= t.Last[i]; j++)
                {
                    var (p, bucket) = (Math.Exp(t.Score(i, j, h) - sums[i][h]), t.Bucket(i, j));
                    var g = scale * p * (LinearReference.Dot(t.Of(dys[i], h), t.Of(t.V[j], h)) - delta);
                    LinearReference.AddScaled(p, t.Of(dys[i], h), t.Of(dv[j], h));
                    LinearReference.AddScaled(g, t.Of(t.K[j], h), t.Of(dq[i], h));
                    LinearReference.AddScaled(g, t.Of(t.Kr[bucket], h), t.Of(dq[i], h));
                    LinearReference.AddScaled(g, t.Of(t.Q[i], h), t.Of(dk[j], h));
                    LinearReference.AddScaled(g, t.Of(t.Qr[bucket], h), t.Of(dk[j], h));
                    LinearReference.AddScaled(g, t.Of(t.Q[i], h), t.Of(dkr[bucket], h));
                    LinearReference.AddScaled(g, t.Of(t.K[j], h), t.Of(dqr[bucket], h));
                }
            }
        }
    }

    private sealed class Operands(DisentangledInput input, int headDim, double scale)
    {
        private readonly Elements<int> _buckets = input.Relative.Bucket.AsElements<int>();
        private readonly int _reach = input.Relative.Reach;

        public int Heads { get; } = input.Query.Columns / headDim;

        public Rows<double> Q { get; } = input.Query.AsDoubles();

        public Rows<double> K { get; } = input.Key.AsDoubles();

        public Rows<double> V { get; } = input.Value.AsDoubles();

        public Rows<double> Kr { get; } = input.Relative.Key.AsDoubles();

        public Rows<double> Qr { get; } = input.Relative.Query.AsDoubles();

        public Elements<int> First { get; } = input.FirstKey.AsElements<int>();

        public Elements<int> Last { get; } = input.LastKey.AsElements<int>();

        public int Bucket(int i, int j) => _buckets[_reach - 1 + i - j];

        public double Score(int i, int j, int head)
        {
            var bucket = Bucket(i, j);
            return scale * (LinearReference.Dot(Of(Q[i], head), Of(K[j], head))
                + LinearReference.Dot(Of(Q[i], head), Of(Kr[bucket], head))
                + LinearReference.Dot(Of(K[j], head), Of(Qr[bucket], head)));
        }

        /// <summary>The columns of one head.</summary>
        public Span<double> Of(Span<double> row, int head) => row.Slice(head * headDim, headDim);
    }
}
