namespace SafeLlama.Kernels;

/// <summary>
/// Two equal blocks of memory that alternate: a device works on one while the next data arrive in the other.
/// </summary>
/// <remarks>On the host they only alternate; a device copies during its work (<see cref="GpuDoubleBuffer"/>).</remarks>
public class DoubleBuffer(Storage first, Storage second) : IDisposable
{
    private bool _atSecond = true;

    public long ByteCount => 2 * first.ByteCount;

    public Storage First => first;

    public Storage Second => second;

    /// <summary>The current block; all work that reads the other one has been queued.</summary>
    public Storage Swap()
    {
        _atSecond = !_atSecond;
        Swapped(_atSecond);
        return _atSecond ? second : first;
    }

    public void Dispose()
    {
        Dispose(disposing: true);
        GC.SuppressFinalize(this);
    }

    protected virtual void Swapped(bool toSecond)
    {
    }

    protected virtual void Dispose(bool disposing)
    {
        first.Dispose();
        second.Dispose();
    }
}
