using ILGPU;
using ILGPU.Algorithms;

namespace SafeLlama.Kernels;

/// <summary>The gradients of <see cref="DisentangledAttentionGpu"/>: by query, by key, by distance.</summary>
internal static class DisentangledGpuBackward
{
    /// <summary>A group per query and head: Σ p · dp first, then dq.</summary>
    internal static void QueryKernel<T>(
        GpuMatrix<T> dy, GpuDisentangledInput<T> input, DisentangledShape shape, GpuMatrix<GpuFloat32> logSum,
        GpuResult<GpuFloat32> delta, GpuResult<T> dq)
        where T : unmanaged, IGpuActivation<T>
    {
        var gradients = SharedMemory.Allocate<float>(GroupReduce.MaxGroupSize);
        var output = SharedMemory.Allocate<float>(DisentangledShape.MaxHeadDim);
        var (row, head) = (Grid.IdxX, Grid.IdxY);
        var (column, level) = (head * shape.HeadDim, logSum[row, head]);
        var (first, last) = (input.FirstKey[row], input.LastKey[row]);
        var sum = 0f;
        for (var key = first + Group.IdxX; key <= last; key += Group.DimX)
        {
            var p = XMath.Exp(DisentangledAttentionGpu.Score(input, shape, (row, key), column) - level);
            sum += p * Dot(dy, row, input.Value, key, column, shape);
        }

        sum = GroupReduce.Sum(sum);
        if (Group.IdxX == 0)
        {
            delta[row, head] = sum;
        }

        for (var e = Group.IdxX; e < shape.HeadDim; e += Group.DimX)
        {
            output[e] = 0f;
        }

        for (var tile = first; tile <= last; tile += Group.DimX)
        {
            var key = tile + Group.IdxX;
            if (key <= last)
            {
                var p = XMath.Exp(
                    DisentangledAttentionGpu.Score(input, shape, (row, key), column) - level);
                gradients[Group.IdxX] = shape.Scale * p * (Dot(dy, row, input.Value, key, column, shape) - sum);
            }

            Group.Barrier();
            var keys = XMath.Min(Group.DimX, last - tile + 1);
            for (var e = Group.IdxX; e < shape.HeadDim; e += Group.DimX)
            {
                var value = output[e];
                for (var c = 0; c < keys; c++)
                {
                    var distance = input.Bucket[shape.Reach - 1 + row - tile - c];
                    value += gradients[c] * (input.Key[tile + c, column + e] + input.RelativeKey[distance, column + e]);
                }

                output[e] = value;
            }

            Group.Barrier();
        }

        for (var e = Group.IdxX; e < shape.HeadDim; e += Group.DimX)
        {
            dq[row, column + e] = output[e];
        }
    }

    /// <summary>A group per key and head: dk and dv, over the queries of its sequence.</summary>
    internal static void KeyKernel<T>(
        GpuMatrix<T> dy, GpuDisentangledInput<T> input, DisentangledShape shape, GpuMatrix<GpuFloat32> logSum,
        GpuMatrix<GpuFloat32> delta, GpuResult<T> dk, GpuResult<T> dv)
        where T : unmanaged, IGpuActivation<T>
    {
        var gradients = SharedMemory.Allocate<float>(GroupReduce.MaxGroupSize);
        var probabilities = SharedMemory.Allocate<float>(GroupReduce.MaxGroupSize);
        var keyOutput = SharedMemory.Allocate<float>(DisentangledShape.MaxHeadDim);
        var valueOutput = SharedMemory.Allocate<float>(DisentangledShape.MaxHeadDim);
        var (row, head) = (Grid.IdxX, Grid.IdxY);
        var (column, last) = (head * shape.HeadDim, input.LastKey[row]);
        for (var e = Group.IdxX; e < shape.HeadDim; e += Group.DimX)
        {
            (keyOutput[e], valueOutput[e]) = (0f, 0f);
        }

        for (var tile = input.FirstKey[row]; tile <= last; tile += Group.DimX)
        {
            var query = tile + Group.IdxX;
            if (query <= last)
            {
                var score = DisentangledAttentionGpu.Score(input, shape, (query, row), column);
                var p = XMath.Exp(score - logSum[query, head]);
                probabilities[Group.IdxX] = p;
                gradients[Group.IdxX] =
                    shape.Scale * p * (Dot(dy, query, input.Value, row, column, shape) - delta[query, head]);
            }

            Group.Barrier();
            var queries = XMath.Min(Group.DimX, last - tile + 1);
            for (var e = Group.IdxX; e < shape.HeadDim; e += Group.DimX)
            {
                var (toKey, toValue) = (keyOutput[e], valueOutput[e]);
                for (var c = 0; c < queries; c++)
                {
                    var distance = input.Bucket[shape.Reach - 1 + tile + c - row];
                    toKey += gradients[c]
                        * (input.Query[tile + c, column + e] + input.RelativeQuery[distance, column + e]);
                    toValue += probabilities[c] * dy[tile + c, column + e];
                }

                (keyOutput[e], valueOutput[e]) = (toKey, toValue);
            }

            Group.Barrier();
        }

        for (var e = Group.IdxX; e < shape.HeadDim; e += Group.DimX)
        {
            dk[row, column + e] = keyOutput[e];
            dv[row, column + e] = valueOutput[e];
        }
    }

    /// <summary>A group per bucket and head: dkr and dqr, over all pairs at its distances, in order.</summary>
    internal static void RelativeKernel<T>(
        GpuMatrix<T> dy, GpuDisentangledInput<T> input, DisentangledShape shape, GpuMatrix<GpuFloat32> logSum,
        GpuMatrix<GpuFloat32> delta, GpuResult<T> dkr, GpuResult<T> dqr)
        where T : unmanaged, IGpuActivation<T>
    {
        var gradients = SharedMemory.Allocate<float>(GroupReduce.MaxGroupSize);
        var pairs = SharedMemory.Allocate<int>(2 * GroupReduce.MaxGroupSize);
        var keyOutput = SharedMemory.Allocate<float>(DisentangledShape.MaxHeadDim);
        var queryOutput = SharedMemory.Allocate<float>(DisentangledShape.MaxHeadDim);
        var (distance, head) = (Grid.IdxX, Grid.IdxY);
        var column = head * shape.HeadDim;
        var nearest = FirstOf(input.Bucket, distance, shape) - shape.Reach + 1;
        var span = FirstOf(input.Bucket, distance + 1, shape) - shape.Reach + 1 - nearest;
        for (var e = Group.IdxX; e < shape.HeadDim; e += Group.DimX)
        {
            (keyOutput[e], queryOutput[e]) = (0f, 0f);
        }

        for (var tile = 0; tile < shape.Rows * span; tile += Group.DimX)
        {
            var pair = tile + Group.IdxX;
            var (i, j, g) = (0, 0, 0f);
            if (pair < shape.Rows * span)
            {
                i = pair / span;
                j = i - nearest - (pair % span);
                if (j >= input.FirstKey[i] && j <= input.LastKey[i])
                {
                    var score = DisentangledAttentionGpu.Score(input, shape, (i, j), column);
                    g = shape.Scale * XMath.Exp(score - logSum[i, head])
                        * (Dot(dy, i, input.Value, j, column, shape) - delta[i, head]);
                }
                else
                {
                    j = i;
                }
            }

            gradients[Group.IdxX] = g;
            pairs[2 * Group.IdxX] = i;
            pairs[(2 * Group.IdxX) + 1] = j;
            Group.Barrier();
            for (var e = Group.IdxX; e < shape.HeadDim; e += Group.DimX)
            {
                var (toKey, toQuery) = (keyOutput[e], queryOutput[e]);
                for (var c = 0; c < Group.DimX; c++)
                {
                    toKey += gradients[c] * input.Query[pairs[2 * c], column + e];
                    toQuery += gradients[c] * input.Key[pairs[(2 * c) + 1], column + e];
                }

                (keyOutput[e], queryOutput[e]) = (toKey, toQuery);
            }

            Group.Barrier();
        }

        for (var e = Group.IdxX; e < shape.HeadDim; e += Group.DimX)
        {
            dkr[distance, column + e] += keyOutput[e];
            dqr[distance, column + e] += queryOutput[e];
        }
    }

    /// <summary>Where a bucket begins in the table, by halving: buckets never fall.</summary>
    private static int FirstOf(GpuInts bucket, int value, DisentangledShape shape)
    {
        var (low, high) = (0, (2 * shape.Reach) - 1);
        while (low < high)
        {
            var middle = (low + high) / 2;
            if (bucket[middle] < value)
            {
                low = middle + 1;
            }
            else
            {
                high = middle;
            }
        }

        return low;
    }

    private static float Dot<T>(
        GpuMatrix<T> a, int rowOfA, GpuMatrix<T> b, int rowOfB, int column, DisentangledShape shape)
        where T : unmanaged, IGpuActivation<T>
    {
        var sum = 0f;
        for (var e = column; e < column + shape.HeadDim; e++)
        {
            sum += a[rowOfA, e] * b[rowOfB, e];
        }

        return sum;
    }
}
