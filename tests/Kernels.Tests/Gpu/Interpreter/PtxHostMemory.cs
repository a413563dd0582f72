namespace SafeLlama.Kernels.Tests;

/// <summary>
/// Memory of the host in the place of device memory; an access that is not wholly inside one allocation is a fault.
/// </summary>
internal sealed unsafe class PtxHostMemory : PtxGlobal
{
    private readonly SortedList<long, long> _allocations = [];

    /// <summary>What stood there before has been freed.</summary>
    public void Allocated(nint address, long byteCount)
    {
        foreach (var old in _allocations.Where(a => a.Key < address + byteCount && address < a.Key + a.Value).ToList())
        {
            _allocations.Remove(old.Key);
        }

        _allocations[address] = byteCount;
    }

    public override Span<byte> At(PtxThread thread, long address, int count)
    {
        var (low, high) = (0, _allocations.Count);
        while (low < high)
        {
            var middle = (low + high) / 2;
            (low, high) = _allocations.Keys[middle] <= address ? (middle + 1, high) : (low, middle);
        }

        if (low == 0 || address + count > _allocations.Keys[low - 1] + _allocations.Values[low - 1])
        {
            throw new PtxFault(thread, $"global address {address:X} + {count} is outside every allocation");
        }

        if (address % count != 0)
        {
            throw new PtxFault(thread, $"global address {address:X} is not aligned to {count} bytes");
        }

        return new Span<byte>((void*)address, count);
    }
}
