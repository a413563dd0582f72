using ILGPU.Runtime.Cuda;
using SafeLlama.Common;

namespace SafeLlama.Kernels.Tests;

/// <summary>
/// Portable kernels as a GPU would run them: their PTX, in groups of 256, which emulation cannot bear.
/// </summary>
internal sealed class PortablePtxTests
{
    private const int Threads = GroupReduce.MaxGroupSize;

    [TestCase(3, 300)]      // a group strides over a row twice
    [TestCase(2, 37)]       // most threads have nothing to do
    public void RmsNorm_agrees_with_reference(int rows, int dim)
    {
        var global = new PtxGlobal();
        var (x, weight) = (Numbers("x", rows * dim), Numbers("weight", dim));
        var (atX, atWeight) = (global.Add<float>(x), global.Add<float>(weight));
        var (y, rstd) = (global.Add<float>(new float[rows * dim]), global.Add<float>(new float[rows]));
        var kernel = GpuKernelList.Find(typeof(RmsNormGpu), nameof(RmsNormGpu.ForwardKernel));
        PtxMachine.Run(
            Text(kernel.MakeGenericMethod(typeof(GpuFloat32), typeof(GpuFloat32))), global, (rows, 1), Threads, 0,
            seed: 1,
            PtxArguments.Matrix(atX, rows * dim, dim), PtxArguments.Weights(atWeight, dim), PtxArguments.Number(1e-5f),
            PtxArguments.Number(dim), PtxArguments.Matrix(y, rows * dim, dim), PtxArguments.Vector(rstd, rows));
        for (var n = 0; n < rows; n++)
        {
            var scale = 1 / Math.Sqrt(x.Skip(n * dim).Take(dim).Average(v => (double)v * v) + 1e-5);
            Assert.That(global.Values<float>(rstd)[n], Is.EqualTo(scale).Within(2e-6 * scale));
            for (var i = 0; i < dim; i++)
            {
                var at = (n * dim) + i;
                Assert.That(global.Values<float>(y)[at], Is.EqualTo(weight[i] * x[at] * scale).Within(1e-5));
            }
        }
    }

    [TestCase(false, false, 67, 70, 37)]    // more than one tile each way; k ends within a step
    [TestCase(false, true, 5, 70, 20)]
    [TestCase(true, true, 66, 3, 33)]
    public void Product_agrees_with_reference(bool transposeA, bool transposeB, int rows, int columns, int depth)
    {
        var global = new PtxGlobal();
        var (a, b, bias) = (Numbers("a", rows * depth), Numbers("b", columns * depth), Numbers("bias", columns));
        var (atA, atB, atBias) = (global.Add<float>(a), global.Add<float>(b), global.Add<float>(bias));
        var c = global.Add<float>(new float[rows * columns]);
        var kernel = GpuKernelList.Find(typeof(GpuGemm), nameof(GpuGemm.ProductKernel));
        PtxMachine.Run(
            Text(kernel.MakeGenericMethod(typeof(GpuFloat32), typeof(GpuFloat32), typeof(GpuFloat32))),
            global, ((columns + 63) / 64, (rows + 63) / 64), Threads, 0, seed: 1,
            PtxArguments.Matrix(atA, a.Length, transposeA ? rows : depth),
            PtxArguments.Matrix(atB, b.Length, transposeB ? columns : depth),
            PtxArguments.Weights(atBias, columns),
            PtxArguments.Matrix(c, rows * columns, columns),
            PtxArguments.Matrix(c, rows * columns, columns),
            PtxArguments.Form(transposeA, transposeB, ProductEnd.Overwrite, 1, rows, columns, depth, bias: true),
            new byte[16]);
        for (var m = 0; m < rows; m++)
        {
            for (var n = 0; n < columns; n++)
            {
                double sum = bias[n];
                for (var k = 0; k < depth; k++)
                {
                    sum += (double)(transposeA ? a[(k * rows) + m] : a[(m * depth) + k])
                        * (transposeB ? b[(k * columns) + n] : b[(n * depth) + k]);
                }

                Assert.That(global.Values<float>(c)[(m * columns) + n], Is.EqualTo(sum).Within(5e-5), $"c[{m}, {n}]");
            }
        }
    }

    private static string Text(System.Reflection.MethodInfo kernel)
    {
        using var compiler = new PtxCompiler(CudaArchitecture.SM_80);
        return compiler.Compile(kernel);
    }

    private static float[] Numbers(string name, int count)
    {
        var stream = Philox.Stream(5, name);
        return [.. Enumerable.Range(0, count).Select(i => (float)stream.Normal(i))];
    }
}
