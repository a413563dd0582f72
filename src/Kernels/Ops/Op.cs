namespace SafeLlama.Kernels;

/// <summary>The base class of every op: one place where each call can be observed.</summary>
/// <remarks>
/// A public method checks its arguments, calls <c>Observer?.Started()</c>, runs, and calls
/// <c>Observer?.Finished(…)</c>. Without an observer, work is not even counted.
/// </remarks>
public abstract class Op
{
    /// <summary>Told about each call of this op; null as a rule.</summary>
    public IOpObserver? Observer { get; set; }

    /// <summary>The bytes of some tensors, padding left out; a tensor that is null counts nothing.</summary>
    protected static double Bytes(params ReadOnlySpan<Tensor?> tensors)
    {
        var bytes = 0.0;
        foreach (var tensor in tensors)
        {
            bytes += tensor is null ? 0 : tensor.Format.Bytes(tensor.Shape);
        }

        return bytes;
    }
}
