using System.Reflection;
using ILGPU;

namespace SafeLlama.Kernels;

/// <summary>A kernel by its method, compiled once for each way its tensors may be stored.</summary>
/// <remarks>
/// Kernels are the static methods named <c>…Kernel</c> of this assembly; nothing else can be launched, so that a test
/// can find and compile every one of them. A type parameter is bound to how the tensor it belongs to is stored.
/// </remarks>
internal sealed class GpuKernel
{
    private readonly GpuDevice _device;
    private readonly MethodInfo _method;
    private readonly int _sharedBytes;
    private readonly Type? _last;

    /// <summary>For each argument the type parameter that its storage decides, or −1.</summary>
    private readonly int[] _decides;
    private readonly Dictionary<ulong, Action<Index2D, object?[]>> _bound = [];

    /// <param name="device">Where it runs.</param>
    /// <param name="owner">The type that the method belongs to.</param>
    /// <param name="name">The method.</param>
    /// <param name="sharedBytes">Shared memory asked for at launch, beside what the kernel declares.</param>
    /// <param name="bound">Its last type parameter, where no tensor's stored form decides it.</param>
    public GpuKernel(GpuDevice device, Type owner, string name, uint sharedBytes = 0, Type? bound = null)
    {
        (_device, _method, _sharedBytes) = (device, GpuKernelList.Find(owner, name), (int)sharedBytes);
        _last = bound;
        _decides = [.. _method.GetParameters().Select(p => p.ParameterType.ContainsGenericParameters
            ? p.ParameterType.GetGenericArguments()[0].GenericParameterPosition : -1)];
    }

    /// <summary>
    /// Queues the kernel with one group per row and enough groups along a row for eight elements a thread.
    /// </summary>
    public void LaunchRows(int rows, int columns, params object?[] arguments) =>
        Launch(new Index2D(rows, Math.Clamp(columns / (Float8.Count * _device.GroupSize), 1, 65535)), arguments);

    /// <summary>Queues the kernel.</summary>
    /// <param name="groups">Along x and y.</param>
    /// <param name="arguments">
    /// Tensors, arrays for <see cref="IGpuArguments"/>, or values passed as they are; null for a tensor that is absent.
    /// </param>
    public void Launch(Index2D groups, params object?[] arguments)
    {
        if (groups.X == 0 || groups.Y == 0)
        {
            return;
        }

        // A byte per type parameter says how its tensor is stored.
        var form = 0ul;
        for (var i = 0; i < arguments.Length; i++)
        {
            if (_decides[i] >= 0 && arguments[i] is Tensor tensor)
            {
                var place = 8 * _decides[i];
                form = (form & ~(0xFFul << place)) | ((ulong)GpuKernelList.FormOf(tensor) << place);
            }
        }

        if (!_bound.TryGetValue(form, out var queue))
        {
            _bound[form] = queue = _device.Prepare(Close(form), _sharedBytes);
        }

        queue(groups, arguments);
    }

    private MethodInfo Close(ulong form)
    {
        if (!_method.IsGenericMethodDefinition)
        {
            return _method;
        }

        var types = _method.GetGenericArguments();
        for (var i = 0; i < types.Length; i++)
        {
            types[i] = i == types.Length - 1 && _last is not null
                ? _last : GpuKernelList.Stored((GpuForm)((form >> (8 * i)) & 0xFF));
        }

        return _method.MakeGenericMethod(types);
    }
}
