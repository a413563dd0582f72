namespace SafeLlama.Kernels;

/// <summary>Observes the calls of ops, such as a profiler; set with <see cref="IBackend.Observe"/>.</summary>
public interface IOpObserver
{
    /// <summary>An op has checked its arguments and begins to compute.</summary>
    void Started();

    /// <summary>The op returns. On a device its work may only be queued.</summary>
    /// <param name="work">The work of the call.</param>
    void Finished(in OpWork work);
}

/// <summary>The work of one call of an op.</summary>
/// <param name="Name">The op and its direction: <c>Attention backward</c>.</param>
/// <param name="Flops">Floating-point operations of its products; 0 where memory, not arithmetic, is the limit.</param>
/// <param name="Bytes">Bytes of the tensors it read and wrote, each counted once.</param>
public readonly record struct OpWork(string Name, double Flops, double Bytes);
