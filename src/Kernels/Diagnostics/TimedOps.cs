namespace SafeLlama.Kernels;

internal sealed class TimedLinear(Linear inner, OpTimes times) : Linear
{
    public Linear Inner => inner;

    protected override void ForwardCore(Tensor x, Tensor weight, Tensor? bias, Tensor? residual, Tensor y) => times.Run(
        "Linear forward", Flops(x, weight), () => inner.Forward(x, weight, bias, residual, y), x, weight, residual, y);

    protected override void BackwardInputCore(Tensor dy, Tensor weight, Tensor dx, bool accumulate) => times.Run(
        "Linear dx", Flops(dx, weight), () => inner.BackwardInput(dy, weight, dx, accumulate), dy, weight, dx);

    protected override void BackwardWeightCore(Tensor dy, Tensor x, Tensor dweight, Tensor? dbias) => times.Run(
        "Linear dW", Flops(x, dweight), () => inner.BackwardWeight(dy, x, dweight, dbias), dy, x, dweight);

    internal static double Flops(Tensor x, Tensor weight) => 2.0 * x.Rows * weight.Rows * weight.Columns;
}

internal sealed class TimedLowRank(LowRank inner, OpTimes times) : LowRank
{
    public override void ForwardBeside(
        Linear linear, Tensor x, Tensor weight, Tensor? bias, Tensor? residual, Tensor a, Tensor b, double scale,
        Dropout dropout, Tensor u, Tensor y) => times.Run(
        "Linear + LowRank forward",
        TimedLinear.Flops(x, weight) + Flops(x, a, b),
        () => inner.ForwardBeside(
            ((TimedLinear)linear).Inner, x, weight, bias, residual, a, b, scale, dropout, u, y),
        x, weight, residual, y);

    public override void BackwardBeside(
        Linear linear, Tensor dy, Tensor x, Tensor weight, Tensor a, Tensor b, double scale, Dropout dropout, Tensor u,
        Tensor du, Tensor da, Tensor db, Tensor? dx, bool accumulate) => times.Run(
        "Linear + LowRank backward",
        (dx is null ? 0 : TimedLinear.Flops(x, weight)) + (2 * Flops(x, a, b)),
        () => inner.BackwardBeside(
            ((TimedLinear)linear).Inner, dy, x, weight, a, b, scale, dropout, u, du, da, db, dx, accumulate),
        dy, x, weight, dx);

    protected override void ForwardCore(Tensor x, Tensor a, Tensor b, double scale, Dropout dropout, Tensor u,
        Tensor y) => times.Run(
        "LowRank forward", Flops(x, a, b), () => inner.Forward(x, a, b, scale, dropout, u, y), x, a, b, u, y);

    protected override void BackwardCore(
        Tensor dy, Tensor x, Tensor a, Tensor b, double scale, Dropout dropout, Tensor u, Tensor du, Tensor da,
        Tensor db, Tensor? dx) => times.Run(
        "LowRank backward", 2 * Flops(x, a, b), () => inner.Backward(dy, x, a, b, scale, dropout, u, du, da, db, dx),
        dy, x, dx);

    private static double Flops(Tensor x, Tensor a, Tensor b) => 2.0 * x.Rows * a.Rows * (a.Columns + b.Rows);
}

internal sealed class TimedAttention(Attention inner, OpTimes times) : Attention
{
    protected override void ForwardCore(
        Tensor q, Tensor k, Tensor v, Tensor firstKey, Tensor lastKey, int headDim, double scale, Tensor y,
        Tensor logSum) => times.Run(
        "Attention forward",
        2 * Flops(q, firstKey, lastKey),
        () => inner.Forward(q, k, v, firstKey, lastKey, headDim, scale, y, logSum),
        q, k, v, y);

    protected override void BackwardCore(
        Tensor dy, Tensor q, Tensor k, Tensor v, Tensor firstKey, Tensor lastKey, int headDim, double scale,
        Tensor y, Tensor logSum, Tensor delta, Tensor dq, Tensor dk, Tensor dv) => times.Run(
        "Attention backward",
        5 * Flops(q, firstKey, lastKey),
        () => inner.Backward(dy, q, k, v, firstKey, lastKey, headDim, scale, y, logSum, delta, dq, dk, dv),
        dy, q, k, v, y, dq, dk, dv);

    /// <summary>
    /// One product of queries and the keys that each may see: forward has two of them, backward five.
    /// </summary>
    private static double Flops(Tensor q, Tensor firstKey, Tensor lastKey)
    {
        var pairs = lastKey.ReadInts().Zip(firstKey.ReadInts(), (last, first) => (long)last - first + 1).Sum();
        return 2.0 * pairs * q.Columns;
    }
}

internal sealed class TimedRmsNorm(RmsNorm inner, OpTimes times) : RmsNorm
{
    protected override void ForwardCore(Tensor x, Tensor weight, double epsilon, Tensor y, Tensor rstd) => times.Run(
        "RmsNorm forward", 0, () => inner.Forward(x, weight, epsilon, y, rstd), x, y);

    protected override void BackwardCore(Tensor dy, Tensor x, Tensor weight, Tensor rstd, Tensor dx, Tensor? dweight) =>
        times.Run(
        "RmsNorm backward", 0, () => inner.Backward(dy, x, weight, rstd, dx, dweight), dy, x, dx, dx);
}

internal sealed class TimedRope(Rope inner, OpTimes times) : Rope
{
    protected override void TurnCore(Tensor x, Tensor positions, Tensor cos, Tensor sin, bool backward) => times.Run(
        backward ? "Rope backward" : "Rope forward", 0, () => Turn(x, positions, cos, sin, backward), x, x);

    private void Turn(Tensor x, Tensor positions, Tensor cos, Tensor sin, bool backward)
    {
        if (backward)
        {
            inner.Backward(x, positions, cos, sin);
        }
        else
        {
            inner.Forward(x, positions, cos, sin);
        }
    }
}

internal sealed class TimedSwiGlu(SwiGlu inner, OpTimes times) : SwiGlu
{
    protected override void ForwardCore(Tensor gate, Tensor up, Tensor product) => times.Run(
        "SwiGlu forward", 0, () => inner.Forward(gate, up, product), gate, up, product);

    protected override void BackwardCore(Tensor dproduct, Tensor gate, Tensor up, Tensor dgate, Tensor dup) =>
        times.Run(
        "SwiGlu backward", 0, () => inner.Backward(dproduct, gate, up, dgate, dup), dproduct, gate, up, dgate, dup);
}

internal sealed class TimedCrossEntropy(CrossEntropy inner, OpTimes times) : CrossEntropy
{
    protected override void ForwardCore(Tensor logits, Tensor targets, Tensor nll, Tensor logSum) => times.Run(
        "CrossEntropy forward", 0, () => inner.Forward(logits, targets, nll, logSum), logits);

    protected override void BackwardCore(Tensor logits, Tensor targets, Tensor logSum, double scale, Tensor dlogits) =>
        times.Run(
        "CrossEntropy backward", 0, () => inner.Backward(logits, targets, logSum, scale, dlogits), logits, dlogits);
}

internal sealed class TimedEmbedding(Embedding inner, OpTimes times) : Embedding
{
    protected override void ForwardCore(Tensor tokens, Tensor weight, Tensor y) => times.Run(
        "Embedding forward", 0, () => inner.Forward(tokens, weight, y), y, y);

    protected override void BackwardCore(Tensor dy, Tensor tokens, Tensor dweight) => times.Run(
        "Embedding backward", 0, () => inner.Backward(dy, tokens, dweight), dy, dy);
}

internal sealed class TimedElementwise(Elementwise inner, OpTimes times) : Elementwise
{
    protected override void GatherRowsCore(Tensor x, Tensor row, Tensor y) => times.Run(
        "GatherRows", 0, () => inner.GatherRows(x, row, y), y, y);

    protected override void ScatterRowsCore(Tensor x, Tensor row, Tensor y) => times.Run(
        "ScatterRows", 0, () => inner.ScatterRows(x, row, y), x, x);

    protected override void SumCore(Tensor x, Tensor total, bool square) => times.Run(
        square ? "SumOfSquares" : "Sum", 0, () => Sum(x, total, square), x);

    private void Sum(Tensor x, Tensor total, bool square)
    {
        if (square)
        {
            inner.SumOfSquares(x, total);
        }
        else
        {
            inner.Sum(x, total);
        }
    }
}

internal sealed class TimedAdamW(AdamW inner, OpTimes times) : AdamW
{
    protected override void UpdateCore(
        Tensor value, Tensor gradient, Tensor m, Tensor v, in AdamWStep step, Tensor normSquared)
    {
        var copy = step;
        times.Run(
            "AdamW", 0, () => inner.Update(value, gradient, m, v, copy, normSquared), value, value, gradient, m, m, v,
            v);
    }
}
