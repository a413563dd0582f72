using System.Diagnostics;
using System.Globalization;
using System.Reflection;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using ILGPU;
using ILGPU.Runtime;
using ILGPU.Runtime.CPU;
using ILGPU.Runtime.Cuda;
using SafeLlama.Common;

namespace SafeLlama.Kernels;

/// <summary>One accelerator, the stream that all work is queued on, and the kernels compiled for it so far.</summary>
internal sealed class GpuDevice : IDisposable
{
    /// <summary>Pinned host memory, in two halves, through which batches travel without the host waiting.</summary>
    public const int StagingBytes = 8 << 20;

    private readonly Context _context;
    private readonly List<Kernel> _kernels = [];
    private readonly GpuStaging _staging;
    private readonly IGpuInterpreter? _interpreter;
    private TimeSpan _compiling;

    static GpuDevice()
    {
        NativeLibrary.SetDllImportResolver(typeof(Context).Assembly, FindDriver);
        NativeLibrary.SetDllImportResolver(typeof(GpuDevice).Assembly, FindDriver);
    }

    private GpuDevice(Context context, Accelerator accelerator, int groupSize, IGpuInterpreter? interpreter = null)
    {
        (_context, Accelerator, GroupSize, _interpreter) = (context, accelerator, groupSize, interpreter);
        Stream = accelerator.CreateStream();
        _staging = new GpuStaging(this, Stream, StagingBytes);
        Nothing = new GpuMemory(this, 256, "an empty tensor");
    }

    public Accelerator Accelerator { get; }

    public AcceleratorStream Stream { get; }

    /// <summary>Threads in a group of a portable kernel: 4, 16, 64 or 256, so that a group is also a square.</summary>
    public int GroupSize { get; }

    /// <summary>Whether bf16 products can use mma.sync: compute capability 8.0 and later.</summary>
    public bool HasTensorCores =>
        _interpreter is not null || Accelerator is CudaAccelerator { Architecture.Major: >= 8 };

    /// <summary>The argument of a kernel for an absent optional tensor; it is never read.</summary>
    public GpuMemory Nothing { get; }

    public bool IsDisposed { get; private set; }

    /// <summary>Kernels queued so far.</summary>
    public long Launches { get; private set; }

    /// <summary>The cost of compilation so far, as text; null where nothing was compiled.</summary>
    public string? StartUp => _kernels.Count == 0 ? null : string.Create(
        CultureInfo.InvariantCulture, $"{_kernels.Count} kernels compiled in {_compiling.TotalSeconds:0.0} s");

    /// <summary>Whether NVIDIA's driver is installed.</summary>
    public static bool HasDriver
    {
        get
        {
            var found = NativeLibrary.TryLoad(
                OperatingSystem.IsWindows() ? "nvcuda.dll" : "libcuda.so.1", out var driver);
            if (found)
            {
                NativeLibrary.Free(driver);
            }

            return found;
        }
    }

    /// <summary>Makes ILGPU look for drivers where they are installed; the class's own start does it.</summary>
    public static void FindDrivers() => RuntimeHelpers.RunClassConstructor(typeof(GpuDevice).TypeHandle);

    /// <summary>A CUDA device: the first, or for ranks that share a machine one of each rank's own.</summary>
    /// <param name="number">Counted on from the first, and round again where there are fewer.</param>
    /// <exception cref="SafeLlamaException">There is none, or its driver is missing.</exception>
    public static GpuDevice OpenCuda(int number = 0)
    {
        if (!HasDriver)
        {
            throw GpuFault.None("no NVIDIA driver is installed (libcuda was not found)");
        }

        var context = Context.Create(builder => Configure(builder.Cuda()));
        try
        {
            var count = context.GetCudaDevices().Count;
            return count == 0
                ? throw GpuFault.None("the NVIDIA driver reports none")
                : new GpuDevice(
                    context, context.GetCudaDevice(number % count).CreateCudaAccelerator(context),
                    GroupReduce.MaxGroupSize);
        }
        catch (Exception error)
        {
            context.Dispose();
            throw error as SafeLlamaException ?? GpuFault.Of("The CUDA device", error);
        }
    }

    /// <summary>
    /// ILGPU's own emulation on the CPU, a thread of the system for each thread of a group: for tests, and slow.
    /// </summary>
    public static GpuDevice OpenEmulated(int groupSize)
    {
        var context = Context.Create(builder => Configure(builder.CPU(new CPUDevice(groupSize, 1, 1))));
        var accelerator = context.GetCPUDevice(0).CreateCPUAccelerator(context, CPUAcceleratorMode.Sequential);
        return new GpuDevice(context, accelerator, groupSize);
    }

    /// <summary>
    /// Memory of the host, and kernels run by <paramref name="interpreter"/> as a GPU would run them.
    /// </summary>
    public static GpuDevice OpenInterpreted(IGpuInterpreter interpreter)
    {
        var context = Context.Create(builder => Configure(builder.CPU(new CPUDevice(4, 1, 1))));
        var accelerator = context.GetCPUDevice(0).CreateCPUAccelerator(context, CPUAcceleratorMode.Sequential);
        return new GpuDevice(context, accelerator, GroupReduce.MaxGroupSize, interpreter);
    }

    public static Context.Builder Configure(Context.Builder builder) =>
        builder.EnableAlgorithms().Optimize(OptimizationLevel.O2);

    public MemoryBuffer1D<byte, Stride1D.Dense> Allocate(long byteCount, string what)
    {
        try
        {
            var buffer = Accelerator.Allocate1D<byte>(byteCount);
            _interpreter?.Allocated(buffer.NativePtr, byteCount);
            return buffer;
        }
        catch (AcceleratorException error)
        {
            throw GpuFault.DoesNotFit(Accelerator, what, byteCount, error);
        }
    }

    /// <summary>Queues a copy to the device behind earlier work. Small copies do not block the host.</summary>
    public void Upload(ReadOnlySpan<byte> source, ArrayView<byte> target)
    {
        if (source.Length <= _staging.MaxBytes)
        {
            _staging.Copy(source, target);
            return;
        }

        try
        {
            target.CopyFromCPU(Stream, source);
        }
        catch (AcceleratorException error)
        {
            throw GpuFault.Of(Accelerator, error);
        }
    }

    /// <summary>Waits for the work queued so far and copies to the host.</summary>
    public void Download(ArrayView<byte> source, Span<byte> target)
    {
        try
        {
            source.CopyToCPU(Stream, target);
        }
        catch (AcceleratorException error)
        {
            throw GpuFault.Of(Accelerator, error);
        }
    }

    /// <summary>
    /// Compiles a kernel and returns a delegate that queues it with a number of groups and arguments.
    /// </summary>
    /// <param name="method">A closed kernel method.</param>
    /// <param name="sharedBytes">Shared memory beside what the kernel declares.</param>
    public Action<Index2D, object?[]> Prepare(MethodInfo method, int sharedBytes)
    {
        var threads = GpuKernelList.ThreadsOf(method) ?? GroupSize;
        if (_interpreter is not null)
        {
            var bind = GpuLaunch.Binder(this, method);
            return Guarded((groups, arguments) =>
                _interpreter.Run(method, groups, threads, sharedBytes, bind(arguments)));
        }

        var start = Stopwatch.GetTimestamp();
        var kernel = Accelerator.LoadKernel(method, new KernelSpecialization(threads, null));
        _kernels.Add(kernel);
        var launch = new GpuLaunch(this, kernel, method, sharedBytes);
        _compiling += Stopwatch.GetElapsedTime(start);
        return Guarded((groups, arguments) =>
        {
            Launches++;
            launch.Queue(Stream, groups, arguments);
        });
    }

    /// <summary>Errors of earlier work are often reported when the next kernel is queued.</summary>
    private Action<Index2D, object?[]> Guarded(Action<Index2D, object?[]> queue) => (groups, arguments) =>
    {
        try
        {
            queue(groups, arguments);
        }
        catch (AcceleratorException error)
        {
            throw GpuFault.Of(Accelerator, error);
        }
    };

    /// <summary>Waits until everything queued is done.</summary>
    /// <exception cref="SafeLlamaException">The device failed on the way.</exception>
    public void Synchronize()
    {
        try
        {
            Stream.Synchronize();
        }
        catch (AcceleratorException error)
        {
            throw GpuFault.Of(Accelerator, error);
        }
    }

    public void Dispose()
    {
        if (IsDisposed)
        {
            return;
        }

        Nothing.Dispose();
        IsDisposed = true;
        _kernels.ForEach(kernel => kernel.Dispose());

        _staging.Dispose();
        Stream.Dispose();
        Accelerator.Dispose();
        _context.Dispose();
    }

    /// <summary>ILGPU asks for <c>cuda</c>, which finds libcuda.so alone; drivers install libcuda.so.1.</summary>
    private static nint FindDriver(string name, Assembly assembly, DllImportSearchPath? path)
    {
        if (name == CublasLibrary.Name)
        {
            return CublasLibrary.Load();
        }

        var file = name switch
        {
            "cuda" => OperatingSystem.IsWindows() ? "nvcuda.dll" : "libcuda.so.1",
            "OpenCL" => "libOpenCL.so.1",
            _ => null,
        };
        return file is not null && NativeLibrary.TryLoad(file, out var handle) ? handle : 0;
    }
}
