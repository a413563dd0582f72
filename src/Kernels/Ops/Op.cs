namespace SafeLlama.Kernels;

/// <summary>The base class of every op, where each call can be observed.</summary>
/// <remarks>
/// A public method checks its arguments, calls <c>Observer?.Started()</c>, runs, and calls
/// <c>Observer?.Finished(…)</c>. Without an observer, work is not counted.
/// </remarks>
public abstract class Op
{
    /// <summary>The observer of this op's calls; usually null.</summary>
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
