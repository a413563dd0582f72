using System.Numerics;
using System.Runtime.CompilerServices;

namespace SafeLlama.Kernels;

/// <summary>The inner loops that ops share, on plain float pointers.</summary>
internal static unsafe class VectorMath
{
    /// <summary>y[i] += factor · x[i].</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void AddScaled(float factor, float* x, float* y, int count)
    {
        var factors = Vector.Create(factor);
        var i = 0;
        for (; i <= count - Vector<float>.Count; i += Vector<float>.Count)
        {
            Vector.MultiplyAddEstimate(factors, Vector.Load(x + i), Vector.Load(y + i)).Store(y + i);
        }

        for (; i < count; i++)
        {
            y[i] += factor * x[i];
        }
    }

    /// <summary>y[i] = a[i] · b[i].</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Multiply(float* a, float* b, float* y, int count)
    {
        var i = 0;
        for (; i <= count - Vector<float>.Count; i += Vector<float>.Count)
        {
            (Vector.Load(a + i) * Vector.Load(b + i)).Store(y + i);
        }

        for (; i < count; i++)
        {
            y[i] = a[i] * b[i];
        }
    }

    /// <summary>y[i] += a[i] · b[i].</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void AddProduct(float* a, float* b, float* y, int count)
    {
        var i = 0;
        for (; i <= count - Vector<float>.Count; i += Vector<float>.Count)
        {
            Vector.MultiplyAddEstimate(Vector.Load(a + i), Vector.Load(b + i), Vector.Load(y + i)).Store(y + i);
        }

        for (; i < count; i++)
        {
            y[i] += a[i] * b[i];
        }
    }
}
