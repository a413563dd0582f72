using System.Linq.Expressions;
using System.Reflection;
using ILGPU;
using ILGPU.Runtime;

namespace SafeLlama.Kernels;

/// <summary>A closed kernel that is prepared once and queued many times, without reflection.</summary>
/// <remarks>
/// The kernel's launcher is called through a delegate of its own signature; the code between it and the arguments of
/// <see cref="GpuKernel.Launch"/> is composed once, from expressions.
/// </remarks>
internal sealed class GpuLaunch
{
    private readonly Action<AcceleratorStream, KernelConfig, object?[]> _queue;
    private readonly int _groupSize;
    private readonly SharedMemoryConfig _shared;

    /// <param name="kernel">Compiled for the device.</param>
    /// <param name="method">What it was compiled from.</param>
    /// <param name="sharedBytes">Shared memory beside what the kernel declares.</param>
    public GpuLaunch(GpuDevice device, Kernel kernel, MethodInfo method, int sharedBytes)
    {
        _groupSize = GpuKernelList.ThreadsOf(method) ?? device.GroupSize;
        _shared = sharedBytes == 0 ? default : SharedMemoryConfig.RequestDynamic<byte>(sharedBytes);
        var types = method.GetParameters().Select(p => p.ParameterType);
        var signature = Expression.GetDelegateType(
            [typeof(AcceleratorStream), typeof(KernelConfig), .. types, typeof(void)]);
        var launcher = (Delegate)typeof(Kernel).GetMethod(nameof(Kernel.CreateLauncherDelegate))!
            .MakeGenericMethod(signature).Invoke(kernel, [])!;
        var (stream, config) = (
            Expression.Parameter(typeof(AcceleratorStream)), Expression.Parameter(typeof(KernelConfig)));
        var arguments = Expression.Parameter(typeof(object[]));
        var call = Expression.Invoke(
            Expression.Constant(launcher, signature), [stream, config, .. Bind(device, method, arguments)]);
        _queue = Expression.Lambda<Action<AcceleratorStream, KernelConfig, object?[]>>(call, stream, config, arguments)
            .Compile();
    }

    /// <param name="groups">Groups along x and y.</param>
    /// <param name="arguments">As the method declares them, tensors for views.</param>
    public void Queue(AcceleratorStream stream, Index2D groups, object?[] arguments) =>
        _queue(stream, new KernelConfig(groups, new Index2D(_groupSize, 1), _shared), arguments);

    /// <summary>A function that converts arguments to the values of the kernel's parameters.</summary>
    public static Func<object?[], object[]> Binder(GpuDevice device, MethodInfo method)
    {
        var arguments = Expression.Parameter(typeof(object[]));
        var all = Bind(device, method, arguments).Select(bound => Expression.Convert(bound, typeof(object)));
        return Expression.Lambda<Func<object?[], object[]>>(Expression.NewArrayInit(typeof(object), all), arguments)
            .Compile();
    }

    private static IEnumerable<Expression> Bind(GpuDevice device, MethodInfo method, ParameterExpression arguments) =>
        method.GetParameters().Select((parameter, i) => GpuArguments.Bind(
            device, parameter.ParameterType, Expression.ArrayIndex(arguments, Expression.Constant(i))));
}
