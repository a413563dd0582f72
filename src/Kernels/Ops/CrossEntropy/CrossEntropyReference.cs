namespace SafeLlama.Kernels;

/// <summary>The equation as fp64 loops.</summary>
public sealed class CrossEntropyReference : CrossEntropy
{
    protected override void ForwardCore(Tensor logits, Tensor targets, Tensor nll, Tensor logSum)
    {
        var (ls, ts, nlls, logSums) =
            (logits.AsDoubles(), targets.AsElements<int>(), nll.AsElements<double>(), logSum.AsElements<double>());
        for (var n = 0; n < logits.Rows; n++)
        {
            var (max, sum) = (double.NegativeInfinity, 0.0);
            foreach (var logit in ls[n])
            {
                max = Math.Max(max, logit);
            }

            foreach (var logit in ls[n])
            {
                sum += Math.Exp(logit - max);
            }

            logSums[n] = max + Math.Log(sum);
            nlls[n] = ts[n] < 0 ? 0 : logSums[n] - ls[n][ts[n]];
        }
    }

    protected override void BackwardCore(Tensor logits, Tensor targets, Tensor logSum, double scale, Tensor dlogits)
    {
        var (ls, ts, logSums, ds) =
            (logits.AsDoubles(), targets.AsElements<int>(), logSum.AsDoubleElements(), dlogits.AsRows<double>());
        for (var n = 0; n < logits.Rows; n++)
        {
            for (var v = 0; v < logits.Columns; v++)
            {
                ds[n][v] = ts[n] < 0 ? 0 : scale * (Math.Exp(ls[n][v] - logSums[n]) - (v == ts[n] ? 1 : 0));
            }
        }
    }
}
