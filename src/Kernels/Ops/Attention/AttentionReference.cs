namespace SafeLlama.Kernels;

/// <summary>The equation as fp64 loops.</summary>
public sealed class AttentionReference : Attention
{
    protected override void ForwardCore(in AttentionInput input, Tensor y, Tensor logSum)
    {
        var (q, k, v, firstKey, lastKey, headDim, scale) = input;
        var (qs, ks, vs) = (q.AsDoubles(), k.AsDoubles(), v.AsDoubles());
        var (ys, logSums, first, last) =
            (y.AsRows<double>(), logSum.AsRows<double>(), firstKey.AsElements<int>(), lastKey.AsElements<int>());
        var (heads, group) = (q.Columns / headDim, q.Columns / k.Columns);
        for (var n = 0; n < q.Rows; n++)
        {
            for (var h = 0; h < heads; h++)
            {
                var query = qs[n].Slice(h * headDim, headDim);
                var output = ys[n].Slice(h * headDim, headDim);
                var keyHead = h / group * headDim;
                var scores = new double[last[n] - first[n] + 1];
                for (var j = first[n]; j <= last[n]; j++)
                {
                    scores[j - first[n]] = scale * LinearReference.Dot(query, ks[j].Slice(keyHead, headDim));
                }

                var max = scores.Max();
                logSums[n][h] = max + Math.Log(scores.Sum(s => Math.Exp(s - max)));
                output.Clear();
                for (var j = first[n]; j <= last[n]; j++)
                {
                    var p = Math.Exp(scores[j - first[n]] - logSums[n][h]);
                    LinearReference.AddScaled(p, vs[j].Slice(keyHead, headDim), output);
                }
            }
        }
    }

    protected override void BackwardCore(
        Tensor dy, in AttentionInput input, Tensor y, Tensor logSum, Tensor delta, in AttentionGradients into)
    {
        var (q, k, v, firstKey, lastKey, headDim, scale) = input;
        var (dq, dk, dv) = into;
        dq.Clear();
        dk.Clear();
        dv.Clear();
        var (qs, ks, vs, ys, dys) = (q.AsDoubles(), k.AsDoubles(), v.AsDoubles(), y.AsDoubles(), dy.AsDoubles());
        var (dqs, dks, dvs) = (dq.AsRows<double>(), dk.AsRows<double>(), dv.AsRows<double>());
        var (logSums, deltas, first, last) =
            (logSum.AsDoubles(), delta.AsRows<double>(), firstKey.AsElements<int>(), lastKey.AsElements<int>());
        var (heads, group) = (q.Columns / headDim, q.Columns / k.Columns);
        for (var n = 0; n < q.Rows; n++)
        {
            for (var h = 0; h < heads; h++)
            {
                var (head, keyHead) = (h * headDim, h / group * headDim);
                var query = qs[n].Slice(head, headDim);
                var doutput = dys[n].Slice(head, headDim);
                deltas[n][h] = LinearReference.Dot(doutput, ys[n].Slice(head, headDim));
                for (var j = first[n]; j <= last[n]; j++)
                {
                    var key = ks[j].Slice(keyHead, headDim);
                    var value = vs[j].Slice(keyHead, headDim);
                    var p = Math.Exp((scale * LinearReference.Dot(query, key)) - logSums[n][h]);
                    var ds = p * (LinearReference.Dot(doutput, value) - deltas[n][h]);
                    LinearReference.AddScaled(p, doutput, dvs[j].Slice(keyHead, headDim));
                    LinearReference.AddScaled(scale * ds, key, dqs[n].Slice(head, headDim));
                    LinearReference.AddScaled(scale * ds, query, dks[j].Slice(keyHead, headDim));
                }
            }
        }
    }
}
