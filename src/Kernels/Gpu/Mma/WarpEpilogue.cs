using ILGPU;
using ILGPU.Runtime.Cuda;

namespace SafeLlama.Kernels;

/// <summary>Writes the sums in PTX registers to the result through shared memory.</summary>
/// <remarks>
/// Lane l holds of each 16 × 8 fragment the elements (l / 4, 2 (l mod 4)), its neighbor to the right, and both 8 rows
/// below (PTX ISA, "Matrix fragments for mma.m16n8k16"). Written as they lie, 8 bytes at a time, rows would be touched
/// in scraps; so 16 rows of every warp are laid out in shared memory, and whole rows leave from there, eight neighbors
/// to a thread, in accesses of 16 bytes. What they are added to or gated by is read on the way. Rows are 8 floats
/// further apart than they are long, which sends the pairs of a half warp to 32 different banks.
/// </remarks>
internal static class WarpEpilogue
{
    private const int Side = TensorCoreGemm.Side;
    private const int Pitch = Side + 8;

    /// <summary>Rows that are laid out at a time: 16 of each of the two rows of warps.</summary>
    private const int Rows = 32;

    /// <summary>Eights in a row.</summary>
    private const int Eights = Side / Float8.Count;

    /// <param name="shared">Shared address of <paramref name="layout"/>; its former contents are no longer
    /// needed.</param>
    /// <param name="layout">The same as C# sees it.</param>
    public static void Store<TC>(
        uint shared, ArrayView<Floats4> layout, GpuWeights bias, ProductResult<TC> result, ProductForm form,
        GpuDropout dropout)
        where TC : unmanaged, IGpuActivation<TC>
    {
        var row = (SharedTile.WarpRow / 4) + (SharedTile.Lane >> 2);
        var column = SharedTile.WarpColumn + (2 * (SharedTile.Lane & 3));
        var place = shared + (uint)(((row * Pitch) + column) * 4);
        var below = place + (8 * Pitch * 4);
        Group.Barrier();
        CudaAsm.Emit(MmaPtx.Store0, place, below);
        Group.Barrier();
        Copy(layout, bias, result, 0, form, dropout);
        Group.Barrier();
        CudaAsm.Emit(MmaPtx.Store1, place, below);
        Group.Barrier();
        Copy(layout, bias, result, 16, form, dropout);
        Group.Barrier();
        CudaAsm.Emit(MmaPtx.Store2, place, below);
        Group.Barrier();
        Copy(layout, bias, result, 32, form, dropout);
        Group.Barrier();
        CudaAsm.Emit(MmaPtx.Store3, place, below);
        Group.Barrier();
        Copy(layout, bias, result, 48, form, dropout);
    }

    /// <summary>Rows <paramref name="first"/> … + 15 of either row of warps, eight columns to a thread.</summary>
    private static void Copy<TC>(
        ArrayView<Floats4> layout, GpuWeights bias, ProductResult<TC> result, int first, ProductForm form,
        GpuDropout dropout)
        where TC : unmanaged, IGpuActivation<TC>
    {
        for (var e = Group.IdxX; e < Rows * Eights; e += TensorCoreGemm.Threads)
        {
            var (r, j) = (e / Eights, Float8.Count * (e % Eights));
            var m = (Grid.IdxY * Side) + (r / 16 * 64) + first + (r % 16);
            var n = (Grid.IdxX * Side) + j;
            if (m < form.Rows && n < form.Columns)
            {
                var value = form.Scale * Sums(layout, ((r * Pitch) + j) / 4);
                if (form.HasBias != 0)
                {
                    value += bias.Load(n, form.Columns);
                }

                if (form.Dropped == Dropped.Result)
                {
                    value *= dropout.Factors(((long)m * form.Columns) + n);
                }

                result.Store(m, n, form.Columns, value);
            }
        }
    }

    private static Float8 Sums(ArrayView<Floats4> layout, int at)
    {
        var (low, high) = (layout[at], layout[at + 1]);
        return new(low.A, low.B, low.C, low.D, high.A, high.B, high.C, high.D);
    }
}
